"""Fit and judge every set of features, in every stratum and at every lead time: table `detection`."""

from collections.abc import Mapping
from functools import partial

import numpy as np
import pandas as pd
import scipy
from jaxtyping import Bool, Float, Int
from sklearn.linear_model import LogisticRegression

from memloc.data.alike import draws
from memloc.detection.classifiers import crossed, scored
from memloc.detection.feature_sets import Features
from memloc.detection.groups import equal_pairs
from memloc.statistics.uncertainty import MIN_N, Interval, jackknifed, without_each
from memloc.tables.columns import Lengths
from memloc.tables.schemas.detection import detection as columns_of

ZONE = (0.05, 0.95)  # the boundary zone: probabilities, given the exposure alone, of being recited
REFERENCE = "nll"  # the set of features that gains are measured from


def detection(rows: pd.DataFrame, sets: Mapping[int, Mapping[str, Features]]) -> pd.DataFrame:
    """Table `detection`. `rows` has exposure, unseen, recited, group, fold and tokens of each paragraph.

    A stratum with fewer than six groups of positives or of negatives has no rows.
    """
    found, groups, folds = [], rows["group"].to_numpy(), rows["fold"].to_numpy()
    for name, (within, positive) in strata(rows).items():
        label, group, fold = positive[within], groups[within], folds[within]
        if not _enough(label, group, fold):
            continue
        weights = np.vstack([np.ones(len(group)), without_each(group)])
        sizes = {"n_positive": int(label.sum()), "n_negative": int((~label).sum())}
        sizes |= {"stratum": name, "n_clusters": len(np.unique(group))}
        own = rows[within]
        equal = partial(equal_pairs, own["exposure"].to_numpy(), label, np.arange(len(own)))
        drawn = list(draws(np.stack(own["tokens"]), equal))
        for n_seen, named in sets.items():
            scores = {key: scored(key, values[within], label, fold) for key, values in named.items()}
            areas = {key: weighted_aurocs(own, label, fold, weights) for key, own in scores.items()}
            for key, values in areas.items():
                columns = _columns("auroc", jackknifed(values[0], values[1:], odds=True))
                if key == REFERENCE:
                    right = [np.less(*named[key][within].ravel()[pairs].T) for pairs in drawn]
                    columns |= {
                        "n_pairs": np.mean([*map(len, right)]),
                        "n_right": np.mean([*map(sum, right)]),
                    }
                else:
                    gains = values - areas[REFERENCE]
                    columns |= _columns("gain", jackknifed(gains[0], gains[1:]))
                found.append({"features": key, "n_seen": n_seen, **sizes, **columns})
    return pd.DataFrame(found, columns=list(columns_of(Lengths())))


def strata(rows: pd.DataFrame) -> dict[str, tuple[Bool[np.ndarray, "row"], Bool[np.ndarray, "row"]]]:
    """The rows of every stratum, and which rows are positive.

    all: seen paragraphs; recited ones are positive. boundary: seen paragraphs whose exposure leaves open
    whether they are recited. unseen: unseen paragraphs, and seen ones that are not recited, which are
    positive.
    """
    unseen, recited = rows["unseen"].to_numpy(), rows["recited"].to_numpy()
    return {
        "all": (~unseen, recited),
        "boundary": (boundary_zone(rows), recited),
        "unseen": (unseen | ~recited, ~unseen),
    }


def boundary_zone(rows: pd.DataFrame) -> Bool[np.ndarray, "row"]:
    """Seen paragraphs whose chance of being recited, given their exposure alone, lies between 5 and 95 %.

    The chance comes from a logistic fit on log exposure to the seen paragraphs of the other folds.
    """
    seen, zone = ~rows["unseen"].to_numpy(), np.zeros(len(rows), dtype=bool)
    recited, fold = rows["recited"].to_numpy()[seen], rows["fold"].to_numpy()[seen]
    if _fits(recited, fold):
        exposure = np.log(rows["exposure"].to_numpy()[seen].clip(1))[:, None]
        chance = scipy.special.expit(crossed(LogisticRegression(C=np.inf), exposure, recited, fold))
        zone[seen] = (chance >= ZONE[0]) & (chance <= ZONE[1])
    return zone


def _enough(
    label: Bool[np.ndarray, "row"], group: Int[np.ndarray, "row"], fold: Int[np.ndarray, "row"]
) -> bool:
    """Whether both labels have enough groups, every classifier sees both, and a fold has both."""
    n_groups = min(len(np.unique(group[label == kind])) for kind in (True, False))
    return n_groups >= MIN_N and _fits(label, fold) and bool(_with_both(label, fold))


def _fits(label: Bool[np.ndarray, "row"], fold: Int[np.ndarray, "row"]) -> bool:
    """Whether there are two folds to choose a penalty in, and both labels, without any fold."""
    numbers = np.unique(fold)
    return len(numbers) > 2 and all(len(np.unique(label[fold != number])) == 2 for number in numbers)


def _with_both(label: Bool[np.ndarray, "row"], fold: Int[np.ndarray, "row"]) -> list[Bool[np.ndarray, "row"]]:
    """Rows of the folds that have both labels."""
    rows = [fold == number for number in np.unique(fold)]
    return [own for own in rows if len(np.unique(label[own])) == 2]


def weighted_aurocs(
    scores: Float[np.ndarray, "row"],
    label: Bool[np.ndarray, "row"],
    fold: Int[np.ndarray, "row"],
    weights: Float[np.ndarray, "sample row"],
) -> Float[np.ndarray, "sample"]:
    """Mean AUROC of the folds, weighted by their pairs of a positive and a negative, in every sample.

    A sample holds rows as often as `weights` says. Scores of different fits are not compared. A fold with
    many positives leaves few to the fit that judges it, so this fit gives lower probabilities: an AUROC over
    all folds would be below 0.5 by chance.
    """
    above, pairs = 0, 0
    for own in _with_both(label, fold):
        positive, negative = own & label, own & ~label
        wins = (np.sign(scores[positive, None] - scores[negative]) + 1) / 2  # ties count half
        above = above + ((weights[:, positive] @ wins) * weights[:, negative]).sum(axis=1)
        pairs = pairs + weights[:, positive].sum(axis=1) * weights[:, negative].sum(axis=1)
    with np.errstate(invalid="ignore"):
        return above / pairs


def _columns(name: str, interval: Interval) -> dict[str, float]:
    """A value and the ends of its interval, clipped to the value's range; None where they are infinite."""
    least = -1.0 if name == "gain" else 0.0
    found = zip((name, f"{name}_low", f"{name}_high"), interval[:3], strict=True)
    return {key: min(max(value, least), 1.0) if np.isfinite(value) else None for key, value in found}
