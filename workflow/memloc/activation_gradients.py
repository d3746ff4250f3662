"""Gradients of a paragraph's NLL with respect to its activations (paper 6.1 and A.2, METHODS M7).

The score of a layer, component, head and position is the largest |dL/da| over the hidden dimension.

Paragraphs share a batch but not their gradients: the loss is the SUM of each paragraph's own NLL, and no
activation of one paragraph enters another's NLL, so that the batch size changes nothing.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float, Int
from torch import Tensor

from memloc.activations import (
    COMPONENTS,
    HEAD_COMPONENTS,
    Site,
    gradients,
    recording,
    sites,
    token_logits,
)
from memloc.decisions import continuation_logits
from memloc.metrics import token_nll

if TYPE_CHECKING:
    from transformer_lens.model_bridge import TransformerBridge

LossTokens = Literal["first", "all"]
Nll = Callable[[Int[Tensor, "paragraph token"], slice], Float[Tensor, "paragraph"]]

GROUP = pd.CategoricalDtype(["memorized", "perturbed"])
COMPONENT = pd.CategoricalDtype(COMPONENTS)
ROLE = pd.CategoricalDtype(["perturbed", "impact"])


def activation_gradients(
    bridge: "TransformerBridge",
    tokens: Int[Tensor, "paragraph token"],
    ids: Int[np.ndarray, "paragraph"],
    group: str,
    n_prefix: int,
    micro_batch: int,
    loss_tokens: LossTokens = "all",
    reference: bool = False,
    components: Sequence[str] = COMPONENTS,
    layers: Sequence[int] | None = None,
    positions: Sequence[int] | None = None,
) -> pd.DataFrame:
    """Activation gradients of the continuation's NLL: group, id, layer, component, head, position, max_abs.

    The NLL is the mean over the continuation, in nats, or that of its first token only, which is also what
    `reference` asks for (the authors' Fig. 6). By default there is a row for each position that the loss
    depends on: 0..T-2, or 0..n_prefix-1 for the first token. `head` is null for MLP components. The columns
    have small types: there are millions of rows.
    """
    tokens = _scored(tokens, n_prefix, loss_tokens, reference)
    read = torch.tensor(range(tokens.shape[1] - 1) if positions is None else positions).expand(
        len(tokens), -1
    )
    nll = _continuation_nll(bridge, n_prefix)
    scores = _scores(bridge, tokens, read, sites(bridge, components, layers), nll, micro_batch)
    return _frame(scores, ids, group, read).drop(columns="slot")


def prefix_gradients(
    bridge: "TransformerBridge",
    tokens: Int[Tensor, "paragraph token"],
    n_prefix: int,
    micro_batch: int,
    loss_tokens: LossTokens = "all",
    reference: bool = False,
    components: Sequence[str] = COMPONENTS,
) -> dict[Site, Float[Tensor, "paragraph head hidden"]]:
    """Gradient vectors of each paragraph's NLL, summed over the prefix positions; an MLP counts as one head.

    The sum is the NLL's derivative by one vector that is added to the activation at every prefix position.
    The loss is that of `activation_gradients`.
    """
    tokens = _scored(tokens, n_prefix, loss_tokens, reference)
    wanted, nll = sites(bridge, components), _continuation_nll(bridge, n_prefix)
    parts: dict[Site, list[Tensor]] = {site: [] for site in wanted}
    for _, found in _batch_gradients(bridge, tokens, wanted, nll, micro_batch):
        for site, gradient in found.items():
            summed = gradient[:, :n_prefix].float().sum(dim=1)
            parts[site].append(summed.reshape(len(summed), -1, summed.shape[-1]).cpu())
    return {site: torch.cat(vectors) for site, vectors in parts.items()}


def impact_gradients(
    bridge: "TransformerBridge",
    tokens: Int[Tensor, "paragraph token"],
    ids: Int[np.ndarray, "paragraph"],
    group: str,
    perturbed_position: Int[Tensor, "paragraph"],
    impact_position: Int[Tensor, "paragraph"],
    micro_batch: int,
    components: Sequence[str] = ("q", "k"),
    layers: Sequence[int] | None = None,
) -> pd.DataFrame:
    """Activation gradients of the NLL of the paragraph's own token at its impact position (Fig. 10).

    Read at two positions, told apart by the column `role`: "perturbed", the perturbed position, and "impact",
    the one that predicts the impact token (impact_position - 1). Other columns as in `activation_gradients`.
    """

    def nll(rows: Int[Tensor, "paragraph token"], batch: slice) -> Float[Tensor, "paragraph"]:
        impact = impact_position[batch].to(rows.device)
        target = rows.gather(1, impact.unsqueeze(1)).squeeze(1)
        return token_nll(token_logits(bridge.original_model, rows, impact), target)

    read = torch.stack([perturbed_position, impact_position - 1], dim=1).cpu()
    scores = _scores(bridge, tokens, read, sites(bridge, components, layers), nll, micro_batch)
    frame = _frame(scores, ids, group, read)
    frame["role"] = pd.Categorical.from_codes(frame.pop("slot"), dtype=ROLE)
    return frame


def _scored(
    tokens: Int[Tensor, "paragraph token"], n_prefix: int, loss_tokens: LossTokens, reference: bool
) -> Int[Tensor, "paragraph scored"]:
    """The prefix and those tokens of the continuation that are in the loss."""
    return tokens[:, : n_prefix + 1] if reference or loss_tokens == "first" else tokens


def _continuation_nll(bridge: "TransformerBridge", n_prefix: int) -> Nll:
    def nll(rows: Int[Tensor, "paragraph token"], batch: slice) -> Float[Tensor, "paragraph"]:
        logits = continuation_logits(bridge.original_model, rows, n_prefix)
        return token_nll(logits, rows[:, n_prefix:]).mean(dim=-1)

    return nll


def _batch_gradients(
    bridge: "TransformerBridge",
    tokens: Int[Tensor, "paragraph token"],
    wanted: Sequence[Site],
    nll: Nll,
    micro_batch: int,
) -> Iterator[tuple[slice, dict[Site, Tensor]]]:
    """Gradients of each paragraph's own NLL with respect to its activations, batch by batch."""
    for start in range(0, len(tokens), micro_batch):
        batch = slice(start, start + micro_batch)
        with recording(bridge, wanted) as activations:
            loss = nll(tokens[batch].to(bridge.original_model.device), batch).sum()
        yield batch, gradients(loss, activations)


def _scores(
    bridge: "TransformerBridge",
    tokens: Int[Tensor, "paragraph token"],
    read: Int[Tensor, "paragraph position"],
    wanted: Sequence[Site],
    nll: Nll,
    micro_batch: int,
) -> dict[Site, Float[Tensor, "paragraph position head"]]:
    """Largest |gradient| over the hidden dimension at the positions to read; an MLP counts as one head."""
    parts: dict[Site, list[Tensor]] = {site: [] for site in wanted}
    for batch, found in _batch_gradients(bridge, tokens, wanted, nll, micro_batch):
        at = read[batch]
        paragraph = torch.arange(len(at)).unsqueeze(1)
        for site, gradient in found.items():
            largest = gradient[paragraph, at].abs().amax(dim=-1)
            parts[site].append(largest.reshape(*at.shape, -1).float().cpu())
    return {site: torch.cat(scores) for site, scores in parts.items()}


def _frame(
    scores: Mapping[Site, Float[Tensor, "paragraph position head"]],
    ids: Int[np.ndarray, "paragraph"],
    group: str,
    read: Int[Tensor, "paragraph position"],
) -> pd.DataFrame:
    """One row per score; `slot` is the place of its position in the row of positions that were read."""
    frames = [_site_frame(site, values.numpy(), ids, read.numpy()) for site, values in scores.items()]
    frame = pd.concat(frames, ignore_index=True)
    frame.insert(0, "group", pd.Categorical([group], dtype=GROUP).repeat(len(frame)))
    return frame


def _site_frame(
    site: Site,
    values: Float[np.ndarray, "paragraph position head"],
    ids: Int[np.ndarray, "paragraph"],
    read: Int[np.ndarray, "paragraph position"],
) -> pd.DataFrame:
    paragraph, slot, head = (axis.ravel() for axis in np.indices(values.shape, dtype=np.int32))
    head = pd.array(head, dtype="Int16")
    if site.component not in HEAD_COMPONENTS:
        head[:] = pd.NA
    return pd.DataFrame(
        {
            "id": np.asarray(ids, dtype=np.int32)[paragraph],
            "layer": np.full(len(slot), site.layer, dtype=np.int16),
            "component": pd.Categorical([site.component], dtype=COMPONENT).repeat(len(slot)),
            "head": head,
            "position": read[paragraph, slot].astype(np.int16),
            "max_abs": values.ravel(),
            "slot": slot.astype(np.int16),
        }
    )
