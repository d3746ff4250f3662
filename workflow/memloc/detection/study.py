"""Fit and judge every set of features, in every stratum and at every lead time: table `detection`."""

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int

from memloc.detection.classifiers import Features, Parts, logits
from memloc.detection.feature_sets import TOGETHER
from memloc.run.seeds import generator
from memloc.statistics.uncertainty import MIN_N, Interval, cluster_interval, cluster_weights, mean
from memloc.tables.columns import Lengths
from memloc.tables.schemas.detection import detection as columns_of

ZONE = (0.05, 0.95)  # the boundary zone: probabilities, given the exposure alone, of being recited
REFERENCE = "nll"  # the set of features that gains are measured from
SHUFFLED = "shuffled_labels"
Within = Callable[[int], Bool[np.ndarray, "paragraph"]]


class Stratum(NamedTuple):
    """Two kinds of paragraphs to tell apart, and the rows of each fold that are fitted and judged."""

    name: str
    positive: Bool[np.ndarray, "paragraph"]
    parts: list[Parts]

    @property
    def judged(self) -> Int[np.ndarray, "judged"]:
        """All rows that a fold judges."""
        return np.concatenate([part.judged for part in self.parts])

    @property
    def folds(self) -> list[slice]:
        """Places of each fold in `judged`."""
        ends = np.cumsum([len(part.judged) for part in self.parts])
        return [slice(end - len(part.judged), end) for end, part in zip(ends, self.parts, strict=True)]


class Judge(NamedTuple):
    """Labels of the judged rows, and resamples of them."""

    positive: Bool[np.ndarray, "judged"]
    weights: Float[np.ndarray, "resample judged"]  # how often a resample holds a row
    folds: list[slice]  # rows of each fold; scores of two folds come from different fits
    n_clusters: int


def detection(
    rows: pd.DataFrame, sets: Mapping[int, Mapping[str, Features]], n_shuffles: int, seed: int
) -> pd.DataFrame:
    """Table `detection`. `rows` has exposure, unseen, recited, group and fold of each paragraph.

    A stratum with fewer than six groups of positives or of negatives has no rows.
    """
    groups, found = rows["group"].to_numpy(), []
    for stratum in strata(rows):
        judged = groups[stratum.judged]
        positive, weights = stratum.positive[stratum.judged], cluster_weights(judged)
        judge = Judge(positive, weights, stratum.folds, len(np.unique(judged)))
        sizes = {"n_positive": int(positive.sum()), "n_negative": int((~positive).sum())}
        sizes |= {"stratum": stratum.name, "n_clusters": judge.n_clusters}
        for n_seen, named in sets.items():
            counts = {"n_seen": n_seen, **sizes}
            scores = {name: scored(name, features, stratum) for name, features in named.items()}
            reference = aurocs(scores[REFERENCE], judge)
            found += [
                {
                    "features": name,
                    **counts,
                    **judged_columns(values, judge, reference if name != REFERENCE else None),
                }
                for name, values in scores.items()
            ]
        random = generator(seed, "detection", SHUFFLED, stratum.name)
        shuffled = list(shuffled_aurocs(named[TOGETHER], stratum, n_shuffles, random))
        found.append({"features": SHUFFLED, **counts, **_columns("auroc", mean(np.array(shuffled)))})
    return pd.DataFrame(found, columns=list(columns_of(Lengths())))


def strata(rows: pd.DataFrame) -> Iterator[Stratum]:
    """The strata with at least six groups of each kind of paragraphs."""
    fold, groups = rows["fold"].to_numpy(), rows["group"].to_numpy()
    for name, (positive, within) in rows_of_strata(rows).items():
        parts = [parts_of_fold(within(number), fold, number, positive) for number in np.unique(fold)]
        stratum = Stratum(name, positive, [part for part in parts if part])
        if not stratum.parts:
            continue
        of_groups = groups[stratum.judged], positive[stratum.judged]
        if min(len(np.unique(of_groups[0][of_groups[1] == label])) for label in (True, False)) >= MIN_N:
            yield stratum


def rows_of_strata(rows: pd.DataFrame) -> dict[str, tuple[Bool[np.ndarray, "paragraph"], Within]]:
    """The positive paragraphs of every stratum, and a function that gives its paragraphs for a judged fold.

    all: seen paragraphs; recited ones are positive. boundary: seen paragraphs whose exposure leaves open
    whether they are recited (`boundary_zone`, fitted without the judged fold). unseen: unseen paragraphs, and
    seen ones that are not recited, which are positive.
    """
    unseen, recited = rows["unseen"].to_numpy(), rows["recited"].to_numpy()
    exposure, fold = rows["exposure"].to_numpy(), rows["fold"].to_numpy()

    def boundary(number: int) -> Bool[np.ndarray, "paragraph"]:
        return boundary_zone(exposure, recited, ~unseen & (fold != number)) & ~unseen

    return {
        "all": (recited, lambda _: ~unseen),
        "boundary": (recited, boundary),
        "unseen": (~unseen, lambda _: unseen | ~recited),
    }


def parts_of_fold(
    within: Bool[np.ndarray, "paragraph"],
    fold: Int[np.ndarray, "paragraph"],
    number: int,
    positive: Bool[np.ndarray, "paragraph"],
) -> Parts | None:
    """Rows `within` a stratum: fold `number` judges its own rows; the rows of the other folds are fitted.

    None if the fold has no row, or all fitted rows have one label.
    """
    judged = np.flatnonzero(within & (fold == number))
    fitted = np.flatnonzero(within & (fold != number))
    if not len(judged) or len(np.unique(positive[fitted])) < 2:
        return None
    place = np.searchsorted(np.unique(fold[fitted]), fold[fitted])
    return Parts(fitted, place % 2 == 1, judged)


def boundary_zone(
    exposure: Int[np.ndarray, "paragraph"],
    recited: Bool[np.ndarray, "paragraph"],
    fitted: Bool[np.ndarray, "paragraph"],
) -> Bool[np.ndarray, "paragraph"]:
    """Paragraphs whose chance of being recited, given their exposure alone, lies between 5 and 95 %.

    The chance comes from a logistic fit on log exposure to the rows `fitted`.
    """
    from sklearn.linear_model import LogisticRegression

    if len(np.unique(recited[fitted])) < 2:
        return np.zeros(len(exposure), dtype=bool)
    logs = np.log(np.maximum(exposure, 1))[:, None]
    fit = LogisticRegression(C=np.inf).fit(logs[fitted], recited[fitted])
    chance = fit.predict_proba(logs)[:, 1]
    return (chance >= ZONE[0]) & (chance <= ZONE[1])


def scored(name: str, features: Features, stratum: Stratum) -> Float[np.ndarray, "judged"]:
    """Log odds of being positive of every judged row, by a fit to the other folds.

    In the combined set, the prefix NLL comes first and is next to free of the penalty.
    """
    n_free = int(name == TOGETHER)
    return np.concatenate([logits(features, stratum.positive, part, n_free) for part in stratum.parts])


def judged_columns(
    scores: Float[np.ndarray, "judged"],
    judge: Judge,
    reference: Float[np.ndarray, "resample"] | None,
) -> dict[str, float]:
    """AUROC with its interval, and its gain over the AUROCs of a reference in the same resamples."""
    auroc = aurocs(scores, judge)
    columns = _columns("auroc", cluster_interval(auroc, judge.n_clusters))
    if reference is not None:
        columns |= _columns("gain", cluster_interval(auroc - reference, judge.n_clusters))
    return columns


def shuffled_aurocs(
    features: Features,
    stratum: Stratum,
    n_shuffles: int,
    random: np.random.Generator,
) -> Iterator[float]:
    """AUROCs of fits to labels that are shuffled among the stratum's paragraphs: 0.5 if nothing leaks."""
    within = np.unique(np.concatenate([part.fitted for part in stratum.parts]))
    for _ in range(n_shuffles):
        positive = stratum.positive.copy()
        positive[within] = random.permutation(positive[within])
        shuffled = stratum._replace(positive=positive)
        rows = shuffled.judged
        judge = Judge(positive[rows], np.ones((1, len(rows))), stratum.folds, 0)
        yield float(aurocs(scored(TOGETHER, features, shuffled), judge)[0])


def aurocs(scores: Float[np.ndarray, "judged"], judge: Judge) -> Float[np.ndarray, "resample"]:
    """Probability, in every resample, that a positive has a higher score than a negative of its fold.

    Ties count half. Scores of different fits are not compared. A fold with many positives leaves few to the
    fit that judges it, so this fit gives lower probabilities. An AUROC over all folds would therefore be
    below 0.5 by chance.
    """
    above, pairs = 0, 0
    for rows in judge.folds:
        positive, negative = _by_score(scores[rows], judge.positive[rows], judge.weights[:, rows])
        below = negative.sum(axis=1, keepdims=True) - negative.cumsum(axis=1) + negative / 2
        above = above + (positive * below).sum(axis=1)
        pairs = pairs + positive.sum(axis=1) * negative.sum(axis=1)
    with np.errstate(invalid="ignore"):
        return above / pairs


def _by_score(
    scores: Float[np.ndarray, "row"],
    positive: Bool[np.ndarray, "row"],
    weights: Float[np.ndarray, "resample row"],
) -> list[Float[np.ndarray, "resample score"]]:
    """Weights of positives and of negatives at each different score, highest first."""
    order = np.argsort(-scores, kind="stable")
    starts = np.flatnonzero(np.diff(scores[order], prepend=np.nan) != 0)
    weights, positive = weights[:, order], positive[order]
    return [np.add.reduceat(weights * chosen, starts, axis=1) for chosen in (positive, ~positive)]


def _columns(name: str, interval: Interval) -> dict[str, float]:
    """A value and the ends of its interval, clipped to the value's range; None where they are infinite."""
    least = -1.0 if name == "gain" else 0.0
    found = zip((name, f"{name}_low", f"{name}_high"), interval[:3], strict=True)
    return {key: min(max(value, least), 1.0) if np.isfinite(value) else None for key, value in found}
