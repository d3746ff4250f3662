"""Do two groups of paragraphs pull on a component in the same direction? (extended analysis)

The authors' notebooks compare the gradients of memorized and non-memorized paragraphs by their cosine
similarity, with respect to parameters and to activations: 1 where a step on one group's loss is a step on the
other's, 0 where they are independent.
"""

from collections.abc import Mapping

import pandas as pd
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import cosine_similarity
from transformers import PreTrainedModel

from memloc.editing.gradients import Gradients
from memloc.model.activations import HEAD_COMPONENTS, Site
from memloc.model.components import Component, component_table


def component_cosine(model: PreTrainedModel, gradients_a: Gradients, gradients_b: Gradients) -> pd.DataFrame:
    """Cosine similarity of two gradients, one row per layer, component and head (null for an MLP matrix).

    The column `cosine` lies in [-1, 1]; it is null where a gradient is exactly zero.
    """

    def cosine(component: Component) -> dict[str, Float[Tensor, "head"]]:
        a, b = (component.by_head(gradients[component.parameter]) for gradients in (gradients_a, gradients_b))
        # Memorized gradients are tiny: in double precision, and without torch's floor on norms, only an
        # exactly zero gradient has no direction.
        return {"cosine": cosine_similarity(a.double(), b.double(), dim=1, eps=0.0)}

    return component_table(model, cosine)


def activation_cosine(
    memorized: Mapping[Site, Float[Tensor, "paragraph head hidden"]],
    non_memorized: Mapping[Site, Float[Tensor, "paragraph head hidden"]],
) -> pd.DataFrame:
    """Cosine similarity of two groups' mean gradient vectors, one row per layer, component and head.

    `cosine` compares the groups. `cosine_memorized` and `cosine_non_memorized` compare two halves of one
    group (every second paragraph): the similarity that sampling noise leaves to see. All lie in [-1, 1] and
    are null where a mean is exactly zero or a half has no paragraph; `head` is null for MLP components.
    """
    frames = []
    for site, a in memorized.items():
        b = non_memorized[site]
        columns = {
            "cosine": _mean_cosine(a, b),
            "cosine_memorized": _mean_cosine(a[::2], a[1::2]),
            "cosine_non_memorized": _mean_cosine(b[::2], b[1::2]),
        }
        heads = range(a.shape[1]) if site.component in HEAD_COMPONENTS else [None]
        keys = {"layer": site.layer, "component": site.component, "head": pd.array([*heads], dtype="Int64")}
        frames.append(pd.DataFrame(keys | {name: column.numpy() for name, column in columns.items()}))
    return pd.concat(frames, ignore_index=True)


def _mean_cosine(
    a: Float[Tensor, "paragraph_a head hidden"], b: Float[Tensor, "paragraph_b head hidden"]
) -> Float[Tensor, "head"]:
    return cosine_similarity(a.double().mean(dim=0), b.double().mean(dim=0), dim=-1, eps=0.0)
