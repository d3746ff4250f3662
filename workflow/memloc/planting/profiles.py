"""Profiles of memories: the same numbers for natural, grown and planted ones, to see whether they are alike.

They say how likely the continuation is, how much it depends on its prefix and on each layer, and how easily
it is unlearned and learned again. None of them uses the place that a memory was put in.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float, Int
from torch import Tensor
from transformers import PreTrainedModel

from memloc.editing.gradients import paragraph_gradients
from memloc.editing.masks import OriginalWeights
from memloc.localization.ablation import NOTHING, ablated_scores
from memloc.localization.layer_bypass import Bypass, Means
from memloc.model.components import components
from memloc.perturbation.effects import nll_rises
from memloc.perturbation.replaced_tokens import Texts, perturb_prefixes
from memloc.run.seeds import generator
from memloc.scoring.paragraph_scores import teacher_forced
from memloc.scoring.token_statistics import continuation_nll
from memloc.settings.perturbation import Perturbation
from memloc.settings.scores import Scoring
from memloc.tables.schemas.memory_profiles import NATURAL, NONE
from memloc.tables.terms.sets import UNSEEN

MOST = 40  # natural memories, and as many paragraphs of kind none
N_STEPS = 3  # of unlearning, and as many of learning again
STEP = 0.002  # length of a step, as a share of the norm of all W_* weights
LEAST_RISE = 1e-9  # nats per token; smaller rises, and falls, count as this much


class Profiler(NamedTuple):
    """Measures paragraphs in the model's current state, and collects rows of `memory_profiles`."""

    model: PreTrainedModel
    means: Means
    n_prefix: int
    micro_batch: int
    seed: int
    rows: list[pd.DataFrame]

    def add(
        self, kinds: list[str], ids: Int[np.ndarray, "paragraph"], tokens: Int[Tensor, "paragraph token"]
    ) -> None:
        """Measure paragraphs of these kinds."""
        model, n_prefix, half = self.model, self.n_prefix, self.n_prefix // 2
        nll = continuation_nll(model, tokens, n_prefix, self.micro_batch).double()
        after_half = continuation_nll(model, tokens[:, half:], n_prefix - half, self.micro_batch).double()
        texts = Texts(ids, tokens, n_prefix, model.config.vocab_size)
        scoring = Scoring(micro_batch=self.micro_batch)
        rises = nll_rises(perturb_prefixes(model, texts, Perturbation(), scoring, self.seed))
        rises = rises.groupby("id")["nll_rise"].agg(["mean", "max"]).loc[ids]
        by_layer = shares_of_layers(self, tokens)
        numbers = {
            "nll": nll.mean(dim=1),
            "nll_largest": nll.amax(dim=1),
            "log_p_half": -after_half.sum(dim=1),
            "prefix_mean": rises["mean"].to_numpy(),
            "prefix_largest": rises["max"].to_numpy(),
            "depth_lower": by_layer[: len(by_layer) // 2].sum(axis=0),
            "depth_largest": by_layer.max(axis=0),
        }
        steps = pd.DataFrame([own_gradients(model, each, n_prefix) for each in tokens.split(1)])
        self.rows.append(pd.DataFrame({"id": ids, "kind": kinds, **numbers}).assign(**steps))


def shares_of_layers(
    how: Profiler, tokens: Int[Tensor, "paragraph token"]
) -> Float[np.ndarray, "layer paragraph"]:
    """Each layer's share of all rises of the NLL when its attention or MLP writes its mean output instead."""
    n_layers = how.model.config.num_hidden_layers
    plan = [Bypass(block, "mean", at, how.means) for block in how.means for at in range(n_layers)]
    whole, *without = ablated_scores(how.model, tokens, [NOTHING, *plan], how.n_prefix, how.micro_batch)
    rises = np.stack([each["nll"] - whole["nll"] for each in without]).clip(LEAST_RISE)
    by_layer = rises.reshape(len(how.means), n_layers, -1).sum(axis=0)
    return by_layer / by_layer.sum(axis=0)


def own_gradients(model: PreTrainedModel, tokens: Int[Tensor, "1 token"], n_prefix: int) -> dict[str, float]:
    """Size and depth of a paragraph's gradient, and what a few steps up and down its NLL do.

    Every step moves all W_* weights by the same length, along or against its current gradient, so that
    memories with small gradients move as far as others. At the end, the original weights are restored.
    """
    layers, original = {each.parameter: each.layer for each in components(model)}, OriginalWeights(model)
    length = STEP * sum(float(original.weight(name).double().square().sum()) for name in layers) ** 0.5
    found, nll = {}, []
    for sign in [1] * N_STEPS + [-1] * N_STEPS:
        ((loss, gradients),) = paragraph_gradients(model, tokens, n_prefix)
        squares = {name: float(each.double().square().sum()) for name, each in gradients.items()}
        norm = sum(squares.values()) ** 0.5
        if not nll:
            lower = [
                own for name, own in squares.items() if layers[name] < model.config.num_hidden_layers // 2
            ]
            found = {"gradient": float(np.log(norm)), "gradient_lower": sum(lower) / norm**2}
        nll.append(loss)
        with torch.no_grad():
            for name, each in gradients.items():
                model.get_parameter(name).add_(each, alpha=sign * length / norm)
    nll.append(float(teacher_forced(model, tokens, n_prefix, 1).nll))
    original.restore(model)
    return found | {"unlearned": nll[N_STEPS] - nll[0], "relearned": nll[-1] - nll[0]}


def without_plants(
    sets: pd.DataFrame, count: pd.Series, grown: pd.DataFrame, n_continuation: int, seed: int
) -> pd.DataFrame:
    """Kind and id of the paragraphs to measure in the model without plants.

    They are recited grown memories, natural memories, and as many paragraphs of kind none. Half of the latter
    are repeated ones of which the model recites little, half are unseen ones.

    Args:
        sets: id and set.
        count: occurrences in the training text, by id.
        grown: kind, id and em of all memories that grew.
    """
    repeated = (sets["set"] == "non_memorized") & (sets["id"].map(count) > 1)
    random = generator(seed, "memory_profiles")
    frames = [grown.loc[grown["em"] == n_continuation, ["kind", "id"]]]
    for kind, chosen, n in (
        (NATURAL, sets["set"] == "memorized", MOST),
        (NONE, repeated, MOST // 2),
        (NONE, sets["set"] == UNSEEN, MOST // 2),
    ):
        ids = random.permutation(sets.loc[chosen, "id"].to_numpy())[:n]
        frames.append(pd.DataFrame({"kind": kind, "id": ids}))
    return pd.concat(frames, ignore_index=True)
