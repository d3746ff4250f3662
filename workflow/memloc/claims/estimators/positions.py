"""Estimators of the topic `positions`: is a paragraph recited elsewhere? The paper does not ask it."""

from memloc.claims.unlike import unlike
from memloc.claims.verdicts import NotApplicable, Tables
from memloc.settings.base import Section
from memloc.statistics.exact import Evidence, rate

# Without shifted position ids, by which a model with rotary embeddings sees no difference.
OTHER_PLACES = ("end_of_text", "text")


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
    return rate(unlike(one.set_index("id")["em"], tables) == settings.paragraph.continuation)
