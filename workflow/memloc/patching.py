"""Two-way activation patching of memorized paragraphs and their perturbed versions (paper A.3, METHODS M10).

A pair differs in one prefix token and, from the impact position on, in its continuation. One paragraph gives
the clean run; activations of the other paragraph's own run are put in its place at one site at a time. The
metric is the change in the NLL (nats) of the impact token: the token of the CLEAN paragraph at the impact
position. A positive change means that the other paragraph's activation makes the clean paragraph's own token
less likely.

    memorized_into_perturbed: clean = the perturbed paragraph, activations of the memorized one are patched in
    perturbed_into_memorized: clean = the memorized paragraph, activations of the perturbed one are patched in

Tokens from the impact position on are never run: causal attention hides them from the position that predicts
the impact token. Patches are stacked along the batch axis: row r is the clean paragraph with patch r.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float, Int
from torch import Tensor

from memloc.activations import Site, gradients, recording, sites, token_logits
from memloc.metrics import token_nll
from memloc.paragraphs import token_tensor
from memloc.tables import DIRECTIONS

if TYPE_CHECKING:
    from transformer_lens.model_bridge import TransformerBridge


class Pairs(NamedTuple):
    """Memorized paragraphs and their perturbed versions, one pair per row."""

    ids: Int[np.ndarray, "pair"]
    memorized: Int[Tensor, "pair token"]
    perturbed: Int[Tensor, "pair token"]
    perturbed_position: Int[Tensor, "pair"]
    impact_position: Int[Tensor, "pair"]

    @classmethod
    def from_tables(cls, paragraphs: pd.DataFrame, perturbed_paragraphs: pd.DataFrame) -> "Pairs":
        """Every perturbed paragraph with the memorized one that it was made from."""
        memorized = paragraphs.set_index("id")["tokens"].loc[perturbed_paragraphs["id"]]
        return cls(
            perturbed_paragraphs["id"].to_numpy(),
            token_tensor(memorized),
            token_tensor(perturbed_paragraphs["tokens"]),
            torch.tensor(perturbed_paragraphs["position"].to_numpy()),
            torch.tensor(perturbed_paragraphs["impact_position"].to_numpy()),
        )

    def check(self) -> None:
        """Only the activations downstream of ONE changed token may differ between the runs of a pair.

        Raises:
            ValueError: the pairs that differ elsewhere before their impact position.
        """
        position = torch.arange(self.memorized.shape[1])
        differs = self.memorized != self.perturbed
        expected = position == self.perturbed_position.unsqueeze(1)
        before_impact = position < self.impact_position.unsqueeze(1)
        wrong = ((differs != expected) & before_impact).any(dim=1)
        if wrong.any():
            raise ValueError(
                f"paragraphs {self.ids[wrong.numpy()].tolist()}: before its impact position, a perturbed "
                "paragraph must differ from the memorized one at its perturbed position and nowhere else"
            )

    def runs(self, direction: str) -> tuple[Int[Tensor, "pair token"], Int[Tensor, "pair token"]]:
        """The clean paragraphs, and those whose activations are patched in."""
        if direction == "memorized_into_perturbed":
            return self.perturbed, self.memorized
        return self.memorized, self.perturbed


class Patch(NamedTuple):
    """One position of a component, of one head where it has heads."""

    layer: int
    component: str
    position: int
    head: int | None = None

    @property
    def site(self) -> Site:
        """The activation that the patch is part of."""
        return Site(self.layer, self.component)

    @property
    def index(self) -> tuple[int, ...]:
        """Where the patch is in the activation of one paragraph."""
        return (self.position,) if self.head is None else (self.position, self.head)


Activations = dict[Site, Tensor]  # of one paragraph: [position, head, hidden] or [position, hidden]


def activation_patching(
    bridge: "TransformerBridge", pairs: Pairs, micro_batch: int, components: Sequence[str] = ("q", "k", "v")
) -> pd.DataFrame:
    """Patch each head of each component and layer at the perturbed position (Fig. 11).

    Columns: id, direction, layer, component, head, nll_change. Exact: every patch is run, `micro_batch` of
    them at a time. Grouped-query models have fewer heads for k and v than for q.

    Raises:
        ValueError: see `Pairs.check`.
    """

    def patches(source: Activations, position: int, impact: int) -> list[Patch]:
        return [Patch(*site, position, head) for site in source for head in range(source[site].shape[1])]

    frame = _patch(bridge, pairs, components, patches, micro_batch)
    return frame[["id", "direction", "layer", "component", "head", "nll_change"]]


def residual_patching(bridge: "TransformerBridge", pairs: Pairs, micro_batch: int) -> pd.DataFrame:
    """Patch the residual stream that enters each layer, one position at a time.

    Columns: id, direction, layer, position, nll_change. Positions run from the perturbed one to the one that
    predicts the impact token; at earlier ones both runs are equal, so that the change is zero.

    Raises:
        ValueError: see `Pairs.check`.
    """

    def patches(source: Activations, position: int, impact: int) -> list[Patch]:
        return [Patch(*site, at) for site in source for at in range(position, impact)]

    frame = _patch(bridge, pairs, ["resid_pre"], patches, micro_batch)
    return frame[["id", "direction", "layer", "position", "nll_change"]]


def attribution_patching(
    bridge: "TransformerBridge", pairs: Pairs, micro_batch: int, components: Sequence[str] = ("q", "k", "v")
) -> pd.DataFrame:
    """First-order estimate of `activation_patching` with the same columns: clean gradient x difference.

    Two forward passes and one backward pass give all heads of `micro_batch` pairs at once. A screen only: the
    metric is not linear in differences as large as those between tokens.

    Raises:
        ValueError: see `Pairs.check`.
    """
    pairs.check()
    frames = [
        _attribute(bridge, pairs, direction, batch, sites(bridge, components))
        for direction in DIRECTIONS
        for batch in torch.arange(len(pairs.ids)).split(micro_batch)
    ]
    return pd.concat(frames, ignore_index=True)


@torch.inference_mode()
def _patch(
    bridge: "TransformerBridge",
    pairs: Pairs,
    components: Sequence[str],
    patches: Callable[[Activations, int, int], list[Patch]],
    micro_batch: int,
) -> pd.DataFrame:
    """Run the patches that `patches(source activations, perturbed position, impact position)` asks for."""
    pairs.check()
    wanted, frames = sites(bridge, components), []
    for direction in DIRECTIONS:
        for number, (clean, other) in enumerate(zip(*pairs.runs(direction), strict=True)):
            position, impact = int(pairs.perturbed_position[number]), int(pairs.impact_position[number])
            with recording(bridge, wanted) as activations:
                _impact_nll(bridge, other[: impact + 1].unsqueeze(0))
            source = {site: activations[site][0] for site in wanted}
            chosen = patches(source, position, impact)
            changes = _nll_changes(bridge, clean[: impact + 1], source, chosen, micro_batch)
            frame = pd.DataFrame(chosen, columns=Patch._fields)
            frames.append(frame.assign(id=pairs.ids[number], direction=direction, nll_change=changes))
    return pd.concat(frames, ignore_index=True)


def _nll_changes(
    bridge: "TransformerBridge",
    clean: Int[Tensor, "token"],
    source: Activations,
    patches: Sequence[Patch],
    micro_batch: int,
) -> Float[np.ndarray, "patch"]:
    unpatched = _impact_nll(bridge, clean.unsqueeze(0))
    changes = []
    for start in range(0, len(patches), micro_batch):
        batch = patches[start : start + micro_batch]
        with bridge.hooks(fwd_hooks=_replacements(batch, source)):
            patched = _impact_nll(bridge, clean.expand(len(batch), -1))
        changes.append((patched - unpatched).cpu())
    return torch.cat(changes).numpy()


def _replacements(batch: Sequence[Patch], source: Activations) -> list[tuple[str, Callable]]:
    """Hooks that put patch r of the batch into paragraph r of the batch, and leave all else as it is."""

    def replacement(site: Site) -> Callable[[Tensor, object], Tensor]:
        def replace(activation: Tensor, hook: object) -> Tensor:
            patched = activation.clone()
            for row, patch in enumerate(batch):
                if patch.site == site:
                    patched[row, *patch.index] = source[site][patch.index]
            return patched

        return replace

    return [(site.hook, replacement(site)) for site in {patch.site for patch in batch}]


def _impact_nll(bridge: "TransformerBridge", rows: Int[Tensor, "row token"]) -> Float[Tensor, "row"]:
    """NLL of each row's last token."""
    rows = rows.to(bridge.original_model.device)
    last = torch.full((len(rows),), rows.shape[1] - 1, device=rows.device)
    return token_nll(token_logits(bridge.original_model, rows, last), rows[:, -1])


def _attribute(
    bridge: "TransformerBridge",
    pairs: Pairs,
    direction: str,
    batch: Int[Tensor, "pair"],
    wanted: Sequence[Site],
) -> pd.DataFrame:
    model = bridge.original_model
    clean, other = (run[batch].to(model.device) for run in pairs.runs(direction))
    position, impact = (
        column[batch].to(model.device) for column in (pairs.perturbed_position, pairs.impact_position)
    )
    pair = torch.arange(len(batch), device=model.device)
    with torch.no_grad(), recording(bridge, wanted) as source:
        token_logits(model, other, impact)
    with recording(bridge, wanted) as activations:
        nll = token_nll(token_logits(model, clean, impact), clean[pair, impact])
    slopes = gradients(nll.sum(), activations)
    frames = []
    for site in wanted:
        difference = (source[site] - activations[site].detach())[pair, position]
        change = (difference * slopes[site][pair, position]).sum(dim=-1).cpu().numpy()
        row, head = (axis.ravel() for axis in np.indices(change.shape))
        labels = {"id": pairs.ids[batch.numpy()][row], "direction": direction, **site._asdict()}
        frames.append(pd.DataFrame({**labels, "head": head, "nll_change": change.ravel()}))
    return pd.concat(frames)
