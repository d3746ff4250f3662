"""Attribution scores of weights from the gradient of the NLL (paper 5.1, Figures 4 and 9, METHODS M4)."""

import pandas as pd
import torch
from jaxtyping import Float, Int
from torch import Tensor
from transformers import PreTrainedModel

from memloc.components import Component, component_table
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


def group_scores(
    model: PreTrainedModel,
    tokens: Int[Tensor, "paragraph token"],
    group: str,
    n_prefix: int,
    micro_batch: int,
) -> pd.DataFrame:
    """Component scores of the mean continuation NLL of one group of paragraphs.

    Returns the rows of `component_scores` with the group's name as first column.

    Raises:
        ValueError: the group is empty.
    """
    frame = component_scores(model, nll_gradients(model, tokens, n_prefix, micro_batch))
    frame.insert(0, "group", group)
    return frame
