"""How far apart activations of a memorized paragraph and of its perturbed version are (extended analysis).

The authors' notebooks compare the forward activations of both by their cosine similarity: 1 where a component
does the same for both. Two positions are read: the perturbed token's, and the one that predicts the impact
token. For comparison, the cosine of two different paragraphs shows what all paragraphs have in common.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import cosine_similarity

from memloc.localization.activation_gradients import ROLE, site_frame
from memloc.model.activations import COMPONENTS, Site, recording, sites
from memloc.model.micro_batches import in_micro_batches
from memloc.perturbation.pairs import Pairs

if TYPE_CHECKING:
    from transformer_lens.model_bridge import TransformerBridge


def forward_similarity(bridge: "TransformerBridge", pairs: Pairs, micro_batch: int) -> pd.DataFrame:
    """Cosines of activations: id, layer, component, head, position, cosine, cosine_other, role.

    `cosine` compares the paragraphs of a pair at the same position, "perturbed" or "impact" (impact_position
    - 1) by `role`. `cosine_other` compares the memorized paragraph with the next pair's, each at its own
    position of this role; null for a single pair. Cosines are null where an activation is exactly zero.
    """
    read = torch.stack([pairs.perturbed_position, pairs.impact_position - 1], dim=1)
    wanted = sites(bridge, COMPONENTS)
    memorized, perturbed = (
        _activations(bridge, tokens, read, wanted, micro_batch)
        for tokens in (pairs.memorized, pairs.perturbed)
    )
    frames = []
    for site in wanted:
        own = memorized[site].double()
        others = own.roll(-1, dims=0) if len(own) > 1 else torch.full_like(own, torch.nan)
        columns = {
            "cosine": cosine_similarity(own, perturbed[site].double(), dim=-1, eps=0.0),
            "cosine_other": cosine_similarity(own, others, dim=-1, eps=0.0),
        }
        columns = {name: values.float().numpy() for name, values in columns.items()}
        frames.append(site_frame(site, columns, np.asarray(pairs.ids), read.numpy()))
    frame = pd.concat(frames, ignore_index=True)
    frame["role"] = pd.Categorical.from_codes(frame.pop("slot"), dtype=ROLE)
    return frame


@torch.inference_mode()
def _activations(
    bridge: "TransformerBridge",
    tokens: Int[Tensor, "pair token"],
    read: Int[Tensor, "pair role"],
    wanted: Sequence[Site],
    micro_batch: int,
) -> dict[Site, Float[Tensor, "pair role head hidden"]]:
    """Activations at the positions to read; an MLP counts as one head. Later tokens are not run."""
    model = bridge.original_model

    def of_rows(
        texts: Int[Tensor, "pair token"], at: Int[Tensor, "pair role"]
    ) -> dict[Site, Float[Tensor, "pair role head hidden"]]:
        with recording(bridge, wanted) as activations:
            model.base_model(texts.to(model.device), use_cache=False)
        row = torch.arange(len(at)).unsqueeze(1)
        found = {site: activations[site][row, at] for site in wanted}
        return {
            site: values.reshape(*at.shape, -1, values.shape[-1]).float().cpu()
            for site, values in found.items()
        }

    parts = in_micro_batches(of_rows, micro_batch, tokens[:, : int(read.max()) + 1], read)
    return {site: torch.cat([part[site] for part in parts]) for site in wanted}
