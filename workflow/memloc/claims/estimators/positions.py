"""Estimators of the topic `positions`: is a paragraph recited wherever it stands? (not in the paper)"""

import pandas as pd

from memloc.claims.verdicts import Estimate, NotApplicable, Tables
from memloc.settings.base import Section
from memloc.statistics.studentised import share

OTHER_PLACES = ("end_of_text", "text", "shifted")


def recited_wherever_they_stand(tables: Tables, settings: Section) -> Estimate:
    """Share of the memorized paragraphs that are recited in every other place, and after every text drawn."""
    everywhere = recited_everywhere(tables["positions"], settings.paragraph.continuation)
    if everywhere.empty:
        raise NotApplicable("the model has no position beyond a paragraph's own")
    return Estimate.of(share(int(everywhere.sum()), len(everywhere)))


def recited_everywhere(rows: pd.DataFrame, n_continuation: int) -> pd.Series:
    """Whether each memorized paragraph (index: id) of table `positions` is recited in every other place."""
    rows = rows[(rows["group"] == "memorized") & rows["context"].isin(OTHER_PLACES)]
    return (rows["em"] == n_continuation).groupby(rows["id"]).all()
