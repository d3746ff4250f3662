"""Estimators of the topic `positions`: is a paragraph recited elsewhere, and after half of its prefix?

The paper asks neither. 2202.07646 compares prefixes of several lengths.
"""

from memloc.claims.verdicts import NotApplicable, Tables
from memloc.settings.base import Section
from memloc.statistics.exact import Evidence, one_of_two, share
from memloc.tables.terms.sets import REPEATED

OTHER_PLACES = ("end_of_text", "text", "shifted")


def recited_wherever_they_stand(tables: Tables, settings: Section) -> Evidence:
    """Share of the memorized paragraphs that are recited at another place, each at a random one.

    A kind of place is drawn first, then one of its draws.
    """
    rows = tables["positions"]
    rows = rows[(rows["group"] == "memorized") & rows["context"].isin(OTHER_PLACES)]
    if rows.empty:
        raise NotApplicable("the model has no position beyond a paragraph's own")
    each = rows.sample(frac=1, random_state=0).drop_duplicates(["id", "context"])
    one = each.sample(frac=1, random_state=1).drop_duplicates("id")
    return share(int((one["em"] == settings.paragraph.continuation).sum()), len(one))


def longer_prefix_recites_more(tables: Tables, settings: Section) -> Evidence:
    """Of the repeated paragraphs recited after one of both prefixes alone, the share after the whole one.

    The same paragraphs are asked twice, so only these tell the prefixes apart.
    """
    rows = tables["positions"]
    rows = rows[rows["group"] == REPEATED]
    recited = (rows["em"] == settings.paragraph.continuation).groupby([rows["id"], rows["context"]]).any()
    recited = recited.unstack(fill_value=False).reindex(columns=["start", "half_prefix"], fill_value=False)
    return one_of_two(recited["start"], recited["half_prefix"])
