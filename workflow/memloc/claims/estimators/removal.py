"""Estimators of the topic `removal`: ways to remove recitation, removing paragraphs together.

Exact match is at its floor or ceiling after most ways, so the NLL of other text judges.
"""

from memloc.claims.unlike import unlike
from memloc.claims.verdicts import NotApplicable, Tables
from memloc.settings.base import Section
from memloc.statistics.exact import Evidence, rate


def removal_top_spares_more(tables: Tables, settings: Section, way: str, rival: str) -> Evidence:
    """Share of the model's own continuations of others, recited ones or not, that are likelier after a way
    than after a rival.

    Raises:
        NotApplicable: one of both was not run, or removes less than half of the paragraphs at any setting.
    """
    known = set(tables["removal"]["way"]) if "removal" in tables else set()
    if absent := [name for name in (way, rival) if name not in known]:
        raise NotApplicable(f"{absent[0]} was not run: see remove.ways")
    joint = {name: tables[name].query("mode == 'joint'") for name in ("removal", "removal_damage")}
    em = joint["removal"].pivot(index="id", columns="way", values="em")
    for name in (way, rival):
        gone = em[name] < settings.paragraph.continuation
        if 2 * gone.sum() < len(gone):
            raise NotApplicable(f"{name} removes {gone.sum()} of {len(gone)} paragraphs")
    rows = joint["removal_damage"].query("group != 'held_out'")
    nll = unlike(rows.pivot(index="id", columns="way", values="nll"), tables)
    return rate(nll[way] < nll[rival])
