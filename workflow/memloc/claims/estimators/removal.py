"""Estimators of the topic `removal`: ways to remove recitation, removing paragraphs together.

Exact match is at its floor or ceiling after most ways, so two other measures judge: the share of paragraphs
that are removed, and the NLL of other text.
"""

import pandas as pd

from memloc.claims.verdicts import NotApplicable, Tables
from memloc.settings.base import Section
from memloc.settings.removal_ways import NOTHING
from memloc.statistics.exact import Evidence, median, share


def removal_top_spares_more(tables: Tables, settings: Section, way: str, rival: str) -> Evidence:
    """NLL of the model's own continuations of other paragraphs, after a rival minus after a way.

    Raises:
        NotApplicable: one of both removes less than half of the paragraphs at any of its settings.
    """
    gone = _gone(tables, settings, way, rival)
    for name in (way, rival):
        if 2 * gone[name].sum() < len(gone):
            raise NotApplicable(f"{name} removes {gone[name].sum()} of {len(gone)} paragraphs")
    rows = tables["removal_damage"]
    rows = rows[(rows["mode"] == "joint") & (rows["group"] == "non_memorized")]
    nll = rows.pivot(index="id", columns="way", values="nll")
    return median(nll[rival] - nll[way])


def removal_other_prefixes(tables: Tables, settings: Section, way: str) -> Evidence:
    """Share of removed paragraphs that other prefixes still recite, among those they recited before."""
    gone = _gone(tables, settings, way)[way]
    others = sum(_by_way(tables, name) for name in ("recited_perturbed", "recited_shifted")) > 0
    judging = others.loc[gone & others[NOTHING], way]
    if judging.empty:
        raise NotApplicable(f"{way} removes no paragraph that other prefixes recited")
    return share(int(judging.sum()), len(judging))


def _gone(tables: Tables, settings: Section, *ways: str) -> pd.DataFrame:
    """Whether a paragraph (rows) is no longer recited after a way (columns).

    Raises:
        NotApplicable: one of `ways` was not run.
    """
    known = set(tables["removal"]["way"]) if "removal" in tables else set()
    if absent := [way for way in ways if way not in known]:
        raise NotApplicable(f"{absent[0]} was not run: see remove.ways")
    return _by_way(tables, "em") < settings.paragraph.continuation


def _by_way(tables: Tables, column: str) -> pd.DataFrame:
    """A column by removed paragraph (rows) and way (columns), removing together."""
    rows = tables["removal"]
    return rows[rows["mode"] == "joint"].pivot(index="id", columns="way", values=column)
