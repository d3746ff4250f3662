"""Do two groups of paragraphs pull on a component in the same direction? (extended analysis)

The authors' notebooks compare the parameter gradients of memorized and non-memorized paragraphs by their
cosine similarity: 1 where a step on one group's loss is a step on the other's, 0 where they are independent.
"""

import pandas as pd
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import cosine_similarity
from transformers import PreTrainedModel

from memloc.components import Component, component_table
from memloc.gradients import Gradients


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
