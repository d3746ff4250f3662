"""How soon paragraphs that were removed are recited again when the model is trained on them."""

from jaxtyping import Int
from torch import Tensor
from transformers import PreTrainedModel

from memloc.editing.gradients import nll_gradients
from memloc.editing.masks import all_weights, at_places
from memloc.editing.optimisers import SparseAdam
from memloc.scoring.paragraph_scores import teacher_forced


def steps_until_recited(
    model: PreTrainedModel,
    tokens: Int[Tensor, "paragraph token"],
    learning_rate: float,
    n_prefix: int,
    limit: int,
    micro_batch: int,
) -> list[int | None]:
    """Steps of Adam on the paragraphs' mean NLL, over all W_* weights, until each is recited again.

    None: not within `limit` steps. The model is changed.
    """
    movable = all_weights(model)
    adam = SparseAdam(model, movable, learning_rate)
    found: list[int | None] = [None] * len(tokens)
    for step in range(limit + 1):
        em = teacher_forced(model, tokens, n_prefix, micro_batch).em
        recited = (em == tokens.shape[1] - n_prefix).tolist()
        found = [
            step if first is None and again else first for first, again in zip(found, recited, strict=True)
        ]
        if None not in found or step == limit:
            break
        adam.step(at_places(nll_gradients(model, tokens, n_prefix, micro_batch), movable))
    return found
