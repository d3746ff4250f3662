"""Attribution scores of weights from the gradient of the NLL (paper 5.1, Figures 4 and 9)."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float, Int
from torch import Tensor

from memloc.data.draws import Parts
from memloc.editing.gradients import Gradients, add_gradients, paragraph_gradients
from memloc.localization.gradient_parts import Sums
from memloc.model.subject import Subject, Tokens

Sample = tuple[Int[np.ndarray, "paragraph"], Tokens]
"""Ids and tokens of paragraphs."""


def component_scores(subject: Subject, gradients: Gradients, group: str) -> pd.DataFrame:
    """Pool |dL/dθ| over the weights of every component.

    Returns one row per layer, component and head (null for an MLP matrix) with the group's name, max_abs (the
    paper's attribution score), sum_abs (Figure 9) and n_weights.
    """
    frames = []
    for component in subject.components:
        size = component.by_head(gradients[component.parameter]).abs()
        heads = [None] if component.n_heads is None else range(component.n_heads)
        columns = {
            "group": group,
            "layer": component.layer,
            "component": component.name,
            "head": pd.array(heads, dtype="Int64"),
            "max_abs": size.amax(dim=1).tolist(),
            "sum_abs": size.sum(dim=1).tolist(),
            "n_weights": size.shape[1],
        }
        frames.append(pd.DataFrame(columns))
    return pd.concat(frames, ignore_index=True)


def layer_sizes(subject: Subject, gradients: Gradients) -> Float[Tensor, "layer 2"]:
    """Sums over the heads and components of every layer: of their max_abs, and of all |gradients|."""
    sizes = torch.zeros(subject.n_layers, 2)
    for component in subject.components:
        size = component.by_head(gradients[component.parameter]).abs()
        sizes[component.layer] += torch.stack([size.amax(dim=1).sum(), size.sum()]).float().cpu()
    return sizes


class GroupComparison(NamedTuple):
    """Result of `compare_groups`."""

    scores: pd.DataFrame
    """Scores by group, layer, component and head."""
    samples: pd.DataFrame
    """Scores of samples from the memorized group (`Sums.largest`)."""
    paragraphs: pd.DataFrame
    """Every paragraph's NLL and the size of its gradient in each layer."""
    memorized: Gradients
    """Gradients of the mean NLL of the memorized group."""


def group_gradients(
    subject: Subject,
    sample: Sample,
    parts: Sequence[Int[np.ndarray, "member"]] | None = None,
    sums: Sums | None = None,
) -> tuple[Gradients, pd.DataFrame]:
    """Gradients of a group's paragraphs, one after the other; those of each part are added up in `sums`.

    Returns:
        The gradient of the group's mean NLL, and each paragraph's NLL and the size of its own gradient: id,
        nll, layer, score_sum, sum_abs.
    """
    ids, tokens = sample
    mean: Gradients = {}
    sizes = torch.zeros(len(ids), subject.n_layers, 2)
    nll = np.zeros(len(ids))
    for row, members in enumerate(parts or [np.arange(len(ids))]):
        total: Gradients = {}
        found = paragraph_gradients(subject, tokens[torch.from_numpy(members)])
        for member, (loss, gradients) in zip(members, found, strict=True):
            nll[member] = loss
            sizes[member] = layer_sizes(subject, gradients)
            add_gradients(total, gradients)
        if sums is not None:
            sums.put(row, total)
        add_gradients(mean, total)
    mean = {name: total.div_(len(ids)) for name, total in mean.items()}
    paragraph, layer = (axis.ravel() for axis in np.indices(sizes.shape[:2]))
    score_sum, sum_abs = sizes.double().flatten(0, 1).T.numpy()
    columns = {"nll": nll[paragraph], "layer": layer, "score_sum": score_sum, "sum_abs": sum_abs}
    return mean, pd.DataFrame({"id": ids[paragraph], **columns})


def compare_groups(
    subject: Subject, samples: dict[str, Sample], paired: Sample, parts: Parts
) -> GroupComparison:
    """Scores of the mean continuation NLL of each group of paragraphs.

    `samples` must hold the group memorized, which `parts` splits; its gradient alone is kept. The paragraphs
    `paired` (there may be none) are in no group: only their own gradients are measured.
    """
    scores, sizes, memorized, sums = [], [], {}, Sums(subject, len(parts.members))
    for group, sample in samples.items():
        own = (parts.members, sums) if group == "memorized" else ()
        mean, paragraphs = group_gradients(subject, sample, *own)
        scores.append(component_scores(subject, mean, group))
        sizes.append(paragraphs)
        if group == "memorized":
            memorized = mean
    if len(paired[0]):
        sizes.append(group_gradients(subject, paired)[1])
    return GroupComparison(
        pd.concat(scores, ignore_index=True),
        sums.largest(parts.draws, "memorized"),
        pd.concat(sizes, ignore_index=True),
        memorized,
    )
