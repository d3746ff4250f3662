"""Estimators of the topic `scores`: how many paragraphs are recited (paper 3.2), and how many nearly."""

from memloc.claims.verdicts import Tables
from memloc.scoring.near_verbatim import NEARLY
from memloc.settings.base import Section
from memloc.statistics.exact import Evidence, share
from memloc.tables.terms.sets import UNSEEN


def complete_or_not(tables: Tables, settings: Section) -> Evidence:
    """Share of memorized ones among the paragraphs of which three fifths or more match."""
    sets = tables["sets"]["set"]
    n_memorized, n_most = int((sets == "memorized").sum()), int((sets == "partly_30_49").sum())
    return share(n_memorized, n_memorized + n_most)


def exact_match_misses_some(tables: Tables, settings: Section) -> Evidence:
    """Share not recited word for word, of the paragraphs that come out nearly or entirely.

    Of non-memorized paragraphs only samples are decoded, so none of them counts.
    """
    decoded = tables["near_verbatim"]
    edits = decoded.loc[~decoded["set"].isin([UNSEEN, "non_memorized"]), "n_edits"]
    near = edits[edits <= NEARLY * settings.paragraph.continuation]
    return share(int((near > 0).sum()), len(near))
