"""Train on one model, test on another: table `detection_transfer`.

A paragraph keeps its text when the model changes, so folds are those of the tested model: no classifier has
seen a judged paragraph, its near-duplicates or its module, whichever model it was fitted to.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float, Int
from scipy.sparse import issparse, vstack

from memloc.detection.classifiers import Features
from memloc.detection.groups import across_folds
from memloc.detection.study import (
    Stratum,
    aurocs,
    fitted_to_others,
    judge_of,
    judged_columns,
    rows_of_strata,
    scored,
    strata,
)
from memloc.tables.schema import Lengths
from memloc.tables.schemas.detection import DETECTION_TRANSFER

LIKELIHOODS = ("nll", "nll_last_10", "min_k", "min_k_plus", "zlib", "entropy")


class Measured(NamedTuple):
    """One model's paragraphs, row by row."""

    rows: pd.DataFrame  # id, exposure, unseen, recited, group, fold
    tokens: Int[np.ndarray, "paragraph token"]
    sets: Mapping[str, Features]


def comparable(named: Mapping[str, Features]) -> dict[str, Features]:
    """Features that any model has, from those of one lead time (`feature_sets`).

    Heads and layers of different models have no common order: what is known of each is given as its mean,
    smallest and largest value. Gradients are taken in logs, where another scale moves all paragraphs alike.
    The residual stream is that after the last layer, which transfers between models of one width only.
    """
    layers = [name for name in named if name.removeprefix("residual_").isdecimal()]
    last = max(layers, key=lambda name: int(name.removeprefix("residual_")))
    likelihoods = np.concatenate([named[name] for name in LIKELIHOODS], axis=1)
    summaries = [_summary(named["attention"])]
    summaries += [_summary(np.log(named["gradients"] + 1e-12))] if "gradients" in named else []
    return {
        "nll": named["nll"],
        "likelihoods": likelihoods,
        "likelihoods_and_summaries": np.concatenate([likelihoods, *summaries], axis=1),
        "residual": named[last],
        "bag_of_words": named["bag_of_words"],
    }


def _summary(values: Float[np.ndarray, "paragraph feature"]) -> Float[np.ndarray, "paragraph six"]:
    """Mean, smallest and largest value of each half: every head or layer has numbers of two kinds."""
    halves = np.split(values, 2, axis=1)
    return np.stack([f(half, axis=1) for half in halves for f in (np.mean, np.min, np.max)], axis=1)


def transfer(models: Mapping[str, Measured], n_seen: int) -> pd.DataFrame:
    """Table `detection_transfer`, with rows of every pair of models that have the same paragraphs in the same
    tokens, and of every model with itself; `sets` are those of `comparable`.

    A pair has no rows for a stratum that one of the two models lacks.

    Raises:
        AssertionError: folds tear a group apart.
    """
    found = [
        {"trained_on": trained_on, "tested_on": tested_on, "n_seen": n_seen, **columns}
        for tested_on, own in models.items()
        for trained_on, columns in _tested(own, models)
    ]
    return pd.DataFrame(found, columns=list(DETECTION_TRANSFER.columns(Lengths())))


def _tested(own: Measured, models: Mapping[str, Measured]) -> Iterator[tuple[str, dict[str, object]]]:
    """The model that a classifier is fitted to, and how well it predicts `own`."""
    groups = own.rows["group"].to_numpy()
    if len(torn := across_folds(groups, own.rows["fold"].to_numpy())):
        raise AssertionError(f"groups in several folds: {torn[:5]}")
    for stratum in strata(own.rows):
        judge = judge_of(stratum, groups)
        counts = {"stratum": stratum.name, **judge.counts}
        within = {name: scored(name, values, stratum) for name, values in own.sets.items()}
        references = {name: {"change": aurocs(scores, judge)} for name, scores in within.items()}
        for trained_on, other in models.items():
            told = within if other is own else dict(_handed_on(own, other, stratum))
            for name, scores in told.items():
                columns = judged_columns(scores, judge, references[name] if other is not own else {})
                yield trained_on, {"features": name, **counts, **columns}


def _handed_on(
    own: Measured, other: Measured, stratum: Stratum
) -> Iterator[tuple[str, Float[np.ndarray, "judged"]]]:
    """Features that both models have, and what classifiers that are fitted to the other one say of `own`."""
    fitted = fitted_to_other(stratum, own, other)
    for name in own.sets if fitted else ():
        pair = own.sets[name], other.sets[name]
        if pair[0].shape[1] == pair[1].shape[1]:
            stacked = vstack(pair, format="csr") if issparse(pair[0]) else np.concatenate(pair)
            yield name, scored(name, stacked, fitted)


def fitted_to_other(stratum: Stratum, own: Measured, other: Measured) -> Stratum | None:
    """The stratum with fits to the same paragraphs of another model, whose rows come after those of `own`.

    A fit leaves out the paragraphs of the fold that it judges. Nothing where the other model's paragraphs are
    others, where it does not have the stratum, or a fit has one label only.
    """
    if not same_paragraphs(own, other):
        return None
    fold = own.rows["fold"].to_numpy()
    rows = other.rows.assign(fold=fold)
    if stratum.name not in {found.name for found in strata(rows)}:
        return None
    positive, within = rows_of_strata(rows)[stratum.name]
    numbers = [fold[part.judged[0]] for part in stratum.parts]
    parts = [
        fitted_to_others(within(number), fold, number, positive, part.judged)
        for number, part in zip(numbers, stratum.parts, strict=True)
    ]
    if not all(parts):
        return None
    parts = [part._replace(fitted=len(fold) + part.fitted) for part in parts]
    return stratum._replace(positive=np.concatenate([stratum.positive, positive]), parts=parts)


def same_paragraphs(own: Measured, other: Measured) -> bool:
    """Whether rows are the same paragraphs in the same tokens: two tokenizers cut text at other places."""
    return np.array_equal(own.rows["id"], other.rows["id"]) and np.array_equal(own.tokens, other.tokens)
