"""Counterfactual memorization: how training on a paragraph changes a model's scores of it (2112.12938).

The unit is the training: models differ in their half of the paragraphs, their first weights and the order of
their text, so a paragraph's interval covers all three.
"""

import numpy as np
import pandas as pd
from jaxtyping import Bool

from memloc.statistics.uncertainty import Interval, jackknifed, mean

HALF = 0.5  # share of the models that must recite a paragraph, so that it counts as one that comes out


def counterfactual(half_scores: pd.DataFrame, n_continuation: int) -> pd.DataFrame:
    """A row per paragraph: how many models were trained with and without it, the share of each kind that
    recites it, and the differences of their mean EM and NLL, of the latter with its interval. A difference is
    missing if no model is of one kind, an interval if fewer than eight models are of either kind.
    """
    scores = half_scores.assign(recited=(half_scores["em"] == n_continuation).astype(float))
    found = []
    for id, own in scores.groupby("id", sort=False):
        seen, unseen = own[own["trained"]], own[~own["trained"]]
        row = {"id": id, "n_with": len(seen), "n_without": len(unseen)}
        row |= {"recited_with": seen["recited"].mean(), "recited_without": unseen["recited"].mean()}
        difference, low, high, _ = mean(seen["nll"], unseen["nll"])
        row |= {"nll_difference": difference, "nll_low": low, "nll_high": high}
        found.append(row | {"em_difference": seen["em"].mean() - unseen["em"].mean()})
    return pd.DataFrame(found).replace([-np.inf, np.inf], np.nan)


def bits(half_scores: pd.DataFrame, n_continuation: int) -> Interval:
    """Bits of all continuations that are in a model trained on them beyond what others give (2505.24832).

    log2 of the probability of a continuation in the models trained on its paragraph, minus that in the
    others, on average, summed over the paragraphs that at least two models of either kind have. The interval
    is the jackknife's over models; n is their number.
    """
    nll = half_scores.pivot(index="model", columns="id", values="nll").to_numpy()
    trained = half_scores.pivot(index="model", columns="id", values="trained").to_numpy(bool)
    both = (trained.sum(axis=0) > 1) & ((~trained).sum(axis=0) > 1)
    nll, trained = nll[:, both], trained[:, both]

    def total(rows: Bool[np.ndarray, "model"]) -> float:
        kinds = (own[rows] for own in (trained, ~trained))
        seen, unseen = ((nll[rows] * own).sum(axis=0) / own.sum(axis=0) for own in kinds)
        return float((unseen - seen).sum()) * n_continuation / np.log(2)

    every = np.ones(len(nll), dtype=bool)
    left_out = [total(every & (np.arange(len(nll)) != model)) for model in range(len(nll))]
    return jackknifed(total(every), np.array(left_out))


def comes_out(shares: pd.Series) -> pd.Series:
    """Whether half of the models recite a paragraph, or more, by the share that does. Others tell the kind of
    what comes out of those trained on it alone: where these do not recite it, their silence says nothing."""
    return shares >= HALF


def only_moved(table: pd.DataFrame) -> pd.Series:
    """Whether no model ever recites a paragraph, and training on it still lowers its NLL for certain."""
    return (table["recited_with"] == 0) & (table["recited_without"] == 0) & (table["nll_high"] < 0)
