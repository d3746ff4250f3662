"""Counterfactual memorization: how training on a paragraph changes a model's scores of it (2112.12938).

The unit is the training: models differ in their half of the paragraphs, their first weights and the order of
their text, so a paragraph's interval is over all of these.
"""

import numpy as np
import pandas as pd

from memloc.statistics.uncertainty import Interval, difference, proportion, proportion_difference

MEASURES = ("em", "recited", "probability", "nll")
HALF = 0.5  # a paragraph comes out of models if it comes out of this share of them


def counterfactual(half_scores: pd.DataFrame, n_continuation: int) -> pd.DataFrame:
    """A row per paragraph: how many models were trained with and without it; of every measure the mean of
    both, and the difference with its interval. Nothing is missing but what has no model.
    """
    scores = half_scores.assign(
        recited=(half_scores["em"] == n_continuation).astype(float), probability=np.exp(half_scores["log_p"])
    )
    by_id = {trained: dict(list(rows.groupby("id"))) for trained, rows in scores.groupby("trained")}
    none = scores.iloc[:0]
    found = []
    for id in scores["id"].unique():
        seen, unseen = (by_id.get(trained, {}).get(id, none) for trained in (True, False))
        row = {"id": id, "n_with": len(seen), "n_without": len(unseen)}
        for measure in MEASURES:
            row |= _compared(measure, seen[measure], unseen[measure])
        found.append(row)
    return pd.DataFrame(found)


def _compared(measure: str, seen: pd.Series, unseen: pd.Series) -> dict[str, float]:
    means = {f"{measure}_with": seen.mean(), f"{measure}_without": unseen.mean()}
    found = _shares(seen, unseen) if measure == "recited" else difference(seen, unseen)
    ends = {"difference": found.value, "low": found.low, "high": found.high}
    finite = {f"{measure}_{end}": value if np.isfinite(value) else None for end, value in ends.items()}
    return means | finite


def _shares(seen: pd.Series, unseen: pd.Series) -> Interval:
    return proportion_difference(*(proportion(int(each.sum()), len(each)) for each in (seen, unseen)))


def comes_out_anyway(table: pd.DataFrame) -> pd.Series:
    """Whether half of the models that never saw a paragraph recite it, or more."""
    return table["recited_without"] >= HALF


def only_moved(table: pd.DataFrame) -> pd.Series:
    """Whether no model ever recites a paragraph, and training on it still lowers its NLL for certain."""
    never = (table["recited_with"] == 0) & (table["recited_without"] == 0)
    return never & (table["nll_high"] < 0)
