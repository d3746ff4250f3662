"""Attribution scores of weights from the gradient of the NLL (paper 5.1, Figures 4 and 9, METHODS M4)."""

from typing import NamedTuple

import pandas as pd
import torch
from jaxtyping import Float, Int
from torch import Tensor
from transformers import PreTrainedModel

from memloc.components import Component, component_table
from memloc.gradient_similarity import component_cosine
from memloc.gradients import Gradients, nll_gradients


def component_scores(model: PreTrainedModel, gradients: Gradients) -> pd.DataFrame:
    """Pool |dL/dθ| over the weights of every component.

    Returns one row per layer, component and head (null for an MLP matrix) with max_abs (the paper's
    attribution score), sum_abs (Figure 9) and n_weights.
    """

    def scores(component: Component) -> dict[str, Float[Tensor, "head"] | Int[Tensor, "head"]]:
        size = component.by_head(gradients[component.parameter]).abs()
        return {
            "max_abs": size.amax(dim=1),
            "sum_abs": size.sum(dim=1),
            "n_weights": torch.full((len(size),), size.shape[1]),
        }

    return component_table(model, scores)


def group_scores(model: PreTrainedModel, gradients: Gradients, group: str) -> pd.DataFrame:
    """The rows of `component_scores` with the group's name as first column."""
    frame = component_scores(model, gradients)
    frame.insert(0, "group", group)
    return frame


class GroupComparison(NamedTuple):
    """Scores of every group, and the direction of the memorized gradient against the non-memorized one."""

    scores: pd.DataFrame
    similarity: pd.DataFrame


def compare_groups(
    model: PreTrainedModel,
    samples: dict[str, Int[Tensor, "paragraph token"]],
    n_prefix: int,
    micro_batch: int,
) -> GroupComparison:
    """Scores of the mean continuation NLL of each group of paragraphs, one backward pass per group.

    `samples` must hold the groups memorized and non_memorized; their gradients alone are kept until the end,
    for `component_cosine`.

    Raises:
        ValueError: a group is empty.
    """
    scores, compared = [], {}
    for group, tokens in samples.items():
        gradients = nll_gradients(model, tokens, n_prefix, micro_batch)
        scores.append(group_scores(model, gradients, group))
        if group in ("memorized", "non_memorized"):
            compared[group] = gradients
    similarity = component_cosine(model, compared["memorized"], compared["non_memorized"])
    return GroupComparison(pd.concat(scores, ignore_index=True), similarity)
