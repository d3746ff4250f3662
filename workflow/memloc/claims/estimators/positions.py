"""Estimators of the topic `positions`: is a paragraph recited elsewhere? The paper does not ask it."""

from memloc.claims.unlike import unlike
from memloc.claims.verdicts import NotApplicable, Tables
from memloc.settings.base import Section
from memloc.statistics.exact import Evidence, rate


def recited_wherever_they_stand(tables: Tables, settings: Section) -> Evidence:
    """Share of the memorized paragraphs that are recited after other text, each at one random place.

    The text has as many tokens as a prefix, or more: after one token a paragraph nearly stands where it did.
    """
    rows = tables["positions"].query("group == 'memorized' and context == 'text'")
    rows = rows[rows["n_before"] >= settings.paragraph.prefix]
    if rows.empty:
        raise NotApplicable("no paragraph was scored after as much other text as a prefix has")
    one = rows.sample(frac=1, random_state=0).drop_duplicates("id")
    return rate(unlike(one.set_index("id")["em"], tables) == settings.paragraph.continuation)
