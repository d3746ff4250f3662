"""Estimators of the topic `positions`: is a paragraph recited elsewhere, and after half of its prefix?

The paper asks neither. 2202.07646 compares prefixes of several lengths.
"""

import pandas as pd

from memloc.claims.verdicts import Estimate, NotApplicable, Tables
from memloc.settings.base import Section
from memloc.statistics.uncertainty import MIN_N
from memloc.tables.terms.sets import REPEATED

OTHER_PLACES = ("end_of_text", "text", "shifted")


def recited_wherever_they_stand(tables: Tables, settings: Section) -> Estimate:
    """Share of the memorized paragraphs that are recited in every other place, and after every text drawn."""
    everywhere = recited_everywhere(tables["positions"], settings.paragraph.continuation)
    if everywhere.empty:
        raise NotApplicable("the model has no position beyond a paragraph's own")
    return Estimate.of_share(int(everywhere.sum()), len(everywhere))


def longer_prefix_recites_more(tables: Tables, settings: Section) -> Estimate:
    """Of the repeated paragraphs recited after one of both prefixes alone, the share after the whole one.

    The same paragraphs are asked twice, so only these tell the prefixes apart (McNemar).
    """
    rows = tables["positions"]
    rows = rows[rows["group"] == REPEATED]
    recited = (rows["em"] == settings.paragraph.continuation).groupby([rows["id"], rows["context"]]).any()
    recited = recited.unstack().reindex(columns=["start", "half_prefix"])
    one = recited[recited["start"] != recited["half_prefix"]]
    if one.empty:
        raise NotApplicable("no repeated paragraph is recited after one of the two prefixes alone")
    few = f"only {len(one)} of {len(recited)} repeated paragraphs are recited after one prefix alone"
    return Estimate.of_share(int(one["start"].sum()), len(one), doubt=few if len(one) < MIN_N else None)


def recited_everywhere(rows: pd.DataFrame, n_continuation: int) -> pd.Series:
    """Whether each memorized paragraph (index: id) of table `positions` is recited in every other place."""
    rows = rows[(rows["group"] == "memorized") & rows["context"].isin(OTHER_PLACES)]
    return (rows["em"] == n_continuation).groupby(rows["id"]).all()
