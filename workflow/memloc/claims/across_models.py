"""A claim that compares the models of a study. The tables of a single model cannot judge it."""

from itertools import pairwise
from typing import Any

import pandas as pd

from memloc.claims.registry import Claim
from memloc.claims.verdicts import Estimate, Tables, judge
from memloc.data.sets import without_controls
from memloc.statistics.uncertainty import proportion

LARGER_RECITES_MORE = Claim(
    id="larger_recites_more",
    work="2202.07646",
    section="abstract",
    statement="A larger model recites more than a smaller one.",
    quantity="of the paragraphs that only one of the two models recites are recited by the larger",
    margin=0.5,
    reason="one half is neither more nor fewer",
    estimator="comparisons",
)


def scored_texts(tables: Tables) -> pd.DataFrame:
    """A row per model and paragraph, without controls: columns of table `sets`, the text, and `memorized`."""
    sets = without_controls(tables["sets"])
    sets = sets.assign(memorized=sets["set"] == "memorized")
    return sets.merge(tables["paragraphs"], on=["model", "id"])


def comparisons(texts: pd.DataFrame, models: pd.DataFrame) -> list[dict[str, Any]]:
    """Compare neighbours in size on the paragraphs that both scored: does the larger model recite more?

    The models saw the same paragraphs, so only paragraphs that exactly one of them recites tell them apart
    (McNemar). If neither model recites more, the larger one recites half of these.

    Args:
        texts: the result of `scored_texts`.
        models: model and n_parameters, the smallest first.

    Returns:
        A dictionary per pair; its verdict is None if both models have the same size.
    """
    found, sizes = [], models.set_index("model")["n_parameters"]
    for smaller, larger in pairwise(sizes.index):
        two = [texts.loc[texts["model"] == model, ["id", "text", "memorized"]] for model in (smaller, larger)]
        both = two[0].merge(two[1], on=["id", "text"], suffixes=("_smaller", "_larger"))
        more = int((both.memorized_larger & ~both.memorized_smaller).sum())
        less = int((both.memorized_smaller & ~both.memorized_larger).sum())
        estimate = Estimate.of_share(more, more + less)
        verdict = judge(LARGER_RECITES_MORE, estimate, len(sizes) - 1).verdict
        found.append(
            {
                "smaller": smaller,
                "larger": larger,
                "n_shared": len(both),
                "only_larger": more,
                "only_smaller": less,
                "share_larger": proportion(more, more + less),
                "verdict": verdict if sizes[larger] > sizes[smaller] else None,
            }
        )
    return found
