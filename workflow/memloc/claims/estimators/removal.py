"""Estimators of the topic `removal`: ways to remove recitation, removing paragraphs together.

Exact match is at its floor or ceiling after most ways, so the NLL of other text judges.
"""

from memloc.claims.unlike import unlike
from memloc.claims.verdicts import NotApplicable, Tables
from memloc.settings.base import Section
from memloc.settings.removal_ways import NOTHING
from memloc.statistics.exact import Evidence, median


def removal_top_spares_more(tables: Tables, settings: Section, way: str, rival: str) -> Evidence:
    """Share (points) of the harm of a rival to other text, recited or not, that a way spares: of the rise in
    NLL of the model's own continuations. Median of the texts that the rival harms.

    Raises:
        NotApplicable: one of both was not run, or leaves a paragraph recited. Who removes less harms less.
    """
    known = set(tables["removal"]["way"]) if "removal" in tables else set()
    if absent := [name for name in (way, rival) if name not in known]:
        raise NotApplicable(f"{absent[0]} was not run: see remove.ways")
    joint = {name: tables[name].query("mode == 'joint'") for name in ("removal", "removal_damage")}
    em = joint["removal"].pivot(index="id", columns="way", values="em")
    for name in (way, rival):
        gone = em[name] < settings.paragraph.continuation
        if not gone.all():
            raise NotApplicable(f"{name} removes {gone.sum()} of {len(gone)} paragraphs")
    rows = joint["removal_damage"].query("group != 'held_out'")
    nll = unlike(rows.pivot(index="id", columns="way", values="nll"), tables)
    risen = nll.sub(nll[NOTHING], axis=0)
    risen = risen[risen[rival] > 0]
    return median(100 * (1 - risen[way] / risen[rival]))
