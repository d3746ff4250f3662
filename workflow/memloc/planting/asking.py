"""Ask every localization method where the memories that grew are, and score the answers.

A memory grew in one place of a model. In the twin of that model the same paragraph grew in another place, and
a third model never saw it. Methods are asked about the paragraph in all three models. All answers are scored
against the place in the first one, so a method that names this place in the others, too, does not follow the
memory.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import scipy  # loads scipy.stats, which takes half a second, where it is first used
from jaxtyping import Bool, Float, Int
from torch import Tensor

from memloc.model.subject import Subject
from memloc.model.weights import marked
from memloc.perturbation.pairs import Pairs
from memloc.perturbation.replaced_tokens import Texts, perturb_prefixes, perturbed_paragraphs
from memloc.planting.grown import Memory
from memloc.planting.methods import answers
from memloc.planting.places import EVERYWHERE, Place
from memloc.planting.question import Question
from memloc.run.seeds import generator
from memloc.settings.grown_truth import GrownTruth
from memloc.settings.model import GROWN_GRANULARITIES
from memloc.settings.perturbation import Perturbation
from memloc.settings.scores import Scoring


class Asking(NamedTuple):
    """What all questions share."""

    counts: Int[np.ndarray, "vocabulary"]
    """How often each token occurs in the study's paragraphs."""
    mean_outputs: Mapping[Subject, Float[Tensor, "layer head d_head"]]
    """Of each model, the mean output z of every head over other text."""
    places_of_heads: Sequence[Place]
    """Where memories of kind `grown_heads` grew: answers about one that grew everywhere are scored there."""
    how: GrownTruth
    seed: int


def models_of(memory: Memory, n_memories: int, family: Sequence[Subject]) -> dict[str, Subject]:
    """The models to ask about a memory, by what they are to it.

    Args:
        n_memories: memories of a kind in one model; those of the swap twin are numbered after them.
        family: the model, its swap twin, and the twin that never saw the paragraphs.
    """
    own, swapped, never = family
    first, other = (own, swapped) if memory.number < n_memories else (swapped, own)
    return {"own": first, "twin": other, "never": never}


def ask(
    memory: Memory, tokens: Int[Tensor, "1 token"], models: Mapping[str, Subject], asking: Asking
) -> pd.DataFrame:
    """Rows of `grown_truth` of a memory. Methods that draw at random draw alike in all models."""
    labels = {"kind": memory.kind, "memory": memory.number, "id": memory.id}
    places = asking.places_of_heads if memory.kind == EVERYWHERE else [memory.place]
    rows = []
    for asked_model, subject in models.items():
        random = generator(asking.seed, "grown_truth", memory.kind, str(memory.number))
        question = Question(
            tokens,
            GROWN_GRANULARITIES[memory.kind],
            asking.how,
            random,
            _pair(subject, memory, tokens, asking),
            asking.mean_outputs[subject],
            asking.counts,
            marked(subject, memory.place.movable),
        )
        found = _scored_answers(subject, question, places)
        rows += [labels | {"asked_model": asked_model} | row for row in found]
    return pd.DataFrame(rows).astype({"place_layer": "Int64"})


def _scored_answers(subject: Subject, question: Question, places: Sequence[Place]) -> list[dict[str, Any]]:
    """The quality of every method's ranking: how early it ranks the units of a place, on average over places.

    Of heads or neurons, the AUROC among the units of each of the place's layers is there, too. Over all
    layers, a method that always prefers one layer would be right by that.
    """
    rows = []
    for method, granularity, scores in answers(subject, question):
        own = granularity == places[0].own
        masks = [place.units[granularity] for place in places]
        found = [place_scores(scores.numpy(), mask.flatten().numpy()) for mask in masks]
        within = [in_its_layers(scores.reshape(mask.shape), mask) for mask in masks if own and mask.ndim == 2]
        rows.append(
            {
                "method": method,
                "granularity": granularity,
                "n_units": len(scores),
                "n_place": int(masks[0].sum()),
                **pd.DataFrame(found).mean(),
                "place_layer": places[0].numbers[0] if own and len(places) == 1 else None,
                "auroc_in_layer": float(np.mean(within)) if within else float("nan"),
            }
        )
    return rows


def in_its_layers(scores: Float[Tensor, "layer unit"], holds: Bool[Tensor, "layer unit"]) -> float:
    """Mean AUROC of a place among the units of each of its layers."""
    layers = holds.any(dim=1).nonzero().flatten()
    return float(np.mean([auroc(scores[layer].numpy(), holds[layer].numpy()) for layer in layers]))


def place_scores(scores: Float[np.ndarray, "unit"], holds: Bool[np.ndarray, "unit"]) -> dict[str, float]:
    """Recall among the first k units (k = size of the place), and average precision.

    In recall, ties count as the mean over all orders of the tied units, so equal scores for all units are at
    chance. Average precision takes tied units together.

    Raises:
        ValueError: no unit holds the place, or a score is NaN.
    """
    if not holds.any() or np.isnan(scores).any():
        raise ValueError("a ranking needs a number for every unit, and a unit of the place")
    everywhere, place = np.sort(scores), np.sort(scores[holds])
    n, k = len(scores), len(place)
    above = n - np.searchsorted(everywhere, place, side="right")
    tied = n - above - np.searchsorted(everywhere, place, side="left")
    below_in_place = np.searchsorted(place, place, side="left")
    return {
        "recall": float(np.clip((k - above) / tied, 0, 1).mean()),
        "average_precision": float(((k - below_in_place) / (above + tied)).mean()),
    }


def auroc(scores: Float[np.ndarray, "unit"], holds: Bool[np.ndarray, "unit"]) -> float:
    """Chance that a unit of the place ranks above another one; ties are a half. NaN if there is no other."""
    ranks, n = scipy.stats.rankdata(scores)[holds], int((~holds).sum())
    return float((ranks.mean() - (len(ranks) + 1) / 2) / n) if n else float("nan")


def _pair(subject: Subject, memory: Memory, tokens: Int[Tensor, "1 token"], asking: Asking) -> Pairs | None:
    """The paragraph and its strongest perturbed version under this model.

    Places of single weights have no pair, because no method that ranks weights needs one.
    """
    if memory.place.own == "weight":
        return None
    ids = np.array([memory.id])
    texts, threshold = Texts(ids, tokens, len(asking.counts)), Scoring().margin_threshold
    versions = perturb_prefixes(subject, texts, Perturbation(), threshold, asking.seed)
    found = perturbed_paragraphs(subject, versions, texts)
    if found.empty:
        return None
    return Pairs.from_tables(pd.DataFrame({"id": ids, "tokens": tokens.tolist()}), found)
