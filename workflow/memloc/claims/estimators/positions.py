"""Estimators of the topic `positions`: is a paragraph recited wherever it stands? (not in the paper)"""

from memloc.claims.verdicts import Estimate, NotApplicable, Tables
from memloc.settings.base import Section
from memloc.statistics.studentised import share

OTHER_PLACES = ("end_of_text", "text", "shifted")


def recited_wherever_they_stand(tables: Tables, settings: Section) -> Estimate:
    """Share of the memorized paragraphs that are recited in every other place, and after every text drawn."""
    rows = tables["positions"]
    rows = rows[(rows["group"] == "memorized") & rows["context"].isin(OTHER_PLACES)]
    if rows.empty:
        raise NotApplicable("the model has no position beyond a paragraph's own")
    everywhere = (rows["em"] == settings.paragraph.continuation).groupby(rows["id"]).all()
    return Estimate.of(share(int(everywhere.sum()), len(everywhere)))
