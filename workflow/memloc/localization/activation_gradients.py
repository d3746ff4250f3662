"""Gradients of a paragraph's NLL with respect to its activations (paper 6.1 and A.2).

The score of a layer, component, head and position is the largest |dL/da| over the hidden dimension.

Paragraphs share a batch but not their gradients. The loss is the SUM of each paragraph's own NLL, and no
activation of one paragraph enters another's NLL, so the batch size changes nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import cross_entropy

from memloc.model.sites import COMPONENTS, HEAD_COMPONENTS, Site, reading, sites
from memloc.model.subject import Subject, Tokens
from memloc.perturbation.pairs import Pairs
from memloc.scoring.losses import paragraph_nll

Nll = Callable[[Tokens, Int[Tensor, "paragraph"]], Float[Tensor, "paragraph"]]

GROUP = pd.CategoricalDtype(["memorized", "perturbed"])
COMPONENT = pd.CategoricalDtype(COMPONENTS)
ROLE = pd.CategoricalDtype(["perturbed", "impact"])


def activation_gradients(
    subject: Subject, tokens: Tokens, ids: Int[np.ndarray, "paragraph"], group: str, reference: bool
) -> pd.DataFrame:
    """Activation gradients of the continuation's NLL: group, id, layer, component, head, position, max_abs.

    The NLL is the mean over the continuation, in nats; with `reference` it is the NLL of the first token (the
    authors' Fig. 6). There is a row for each position that the loss depends on: 0..T-2, or 0..n_prefix-1 for
    the first token. `head` is null for MLP components. Columns have small types for millions of rows.
    """
    n_prefix = subject.n_prefix
    read = torch.arange(n_prefix if reference else tokens.shape[1] - 1).expand(len(tokens), -1)
    tokens = tokens[:, : n_prefix + 1] if reference else tokens
    scores = _scores(subject, tokens, read, COMPONENTS, lambda texts, _: paragraph_nll(subject, texts))
    return _frame(scores, ids, group, read).drop(columns="slot")


def impact_gradients(
    subject: Subject, pairs: Pairs, group: Literal["memorized", "perturbed"]
) -> pd.DataFrame:
    """Activation gradients of the NLL of the paragraph's own token at its impact position (Fig. 10).

    `group` chooses the paragraph of each pair. Queries and keys are read at two positions, which column
    `role` names: "perturbed", the perturbed position, and "impact", the position that predicts the impact
    token (impact_position - 1). Other columns as in `activation_gradients`.
    """
    tokens = pairs.memorized if group == "memorized" else pairs.perturbed

    def nll(texts: Tokens, rows: Int[Tensor, "paragraph"]) -> Float[Tensor, "paragraph"]:
        impact = pairs.impact_position[rows].to(texts.device)
        target = texts.gather(1, impact.unsqueeze(1)).squeeze(1)
        return cross_entropy(_logits_before(subject, texts, impact), target, reduction="none")

    read = torch.stack([pairs.perturbed_position, pairs.impact_position - 1], dim=1).cpu()
    frame = _frame(_scores(subject, tokens, read, ("q", "k"), nll), pairs.ids, group, read)
    frame["role"] = pd.Categorical.from_codes(frame.pop("slot"), dtype=ROLE)
    return frame


def _logits_before(
    subject: Subject, tokens: Tokens, position: Int[Tensor, "paragraph"]
) -> Float[Tensor, "paragraph vocabulary"]:
    """Logits that predict the token at `position` (1 or later) of each paragraph; later ones are not run."""
    hidden = subject.hidden(tokens[:, : int(position.max())])
    return subject.logits(hidden[torch.arange(len(tokens), device=hidden.device), position - 1])


def _scores(
    subject: Subject,
    tokens: Tokens,
    read: Int[Tensor, "paragraph position"],
    components: Sequence[str],
    nll: Nll,
) -> dict[Site, Float[Tensor, "paragraph position head"]]:
    """Largest |gradient| of each paragraph's own NLL over the hidden dimension, at the positions to read.

    An MLP counts as one head. `nll` takes some of the texts and their row numbers in `tokens`.
    """
    wanted = sites(subject, components)

    def of_rows(
        texts: Tokens, rows: Int[Tensor, "paragraph"]
    ) -> dict[Site, Float[Tensor, "paragraph position head"]]:
        with reading(subject, wanted) as found:
            loss = nll(texts, rows).sum()
        return {site: _largest(slope, read[rows]) for site, slope in found.gradients(loss).items()}

    parts = subject.in_batches(of_rows, tokens, torch.arange(len(tokens)))
    return {site: torch.cat([part[site] for part in parts]) for site in wanted}


def _largest(
    gradient: Float[Tensor, "paragraph position ..."], at: Int[Tensor, "paragraph read"]
) -> Float[Tensor, "paragraph read head"]:
    sizes = gradient[torch.arange(len(at)).unsqueeze(1), at].abs().amax(dim=-1)
    return sizes.reshape(*at.shape, -1).float().cpu()


def _frame(
    scores: Mapping[Site, Float[Tensor, "paragraph position head"]],
    ids: Int[np.ndarray, "paragraph"],
    group: str,
    read: Int[Tensor, "paragraph position"],
) -> pd.DataFrame:
    """One row per score; `slot` is the column of its position in `read`."""
    frames = []
    for site, values in scores.items():
        paragraph, slot, head = (axis.ravel() for axis in np.indices(values.shape, dtype=np.int32))
        head = pd.array(head, dtype="Int16")
        if site.component not in HEAD_COMPONENTS:
            head[:] = pd.NA
        columns = {
            "id": np.asarray(ids, dtype=np.int32)[paragraph],
            "layer": np.full(len(slot), site.layer, dtype=np.int16),
            "component": pd.Categorical([site.component], dtype=COMPONENT).repeat(len(slot)),
            "head": head,
            "position": read.numpy()[paragraph, slot].astype(np.int16),
            "max_abs": values.numpy().ravel(),
            "slot": slot.astype(np.int16),
        }
        frames.append(pd.DataFrame(columns))
    frame = pd.concat(frames, ignore_index=True)
    frame.insert(0, "group", pd.Categorical([group], dtype=GROUP).repeat(len(frame)))
    return frame
