"""Estimators of the topic `removal`: ways to remove recitation, removing paragraphs together.

Exact match is at its floor or ceiling after most ways, so two other measures judge: the share of paragraphs
that are removed, and the NLL of other text.
"""

import pandas as pd

from memloc.claims.verdicts import Estimate, NotApplicable, Tables
from memloc.settings.base import Section
from memloc.settings.removal_ways import NOTHING
from memloc.statistics.studentised import share, studentised

MASKS, RIVALS = "neurons_hard_concrete", ("neurons_zero_out", "neurons_integrated_gradients")


def removal_top_spares_more(tables: Tables, settings: Section, way: str, rival: str) -> Estimate:
    """NLL of the model's own continuations of other paragraphs, after a rival minus after a way.

    It is in doubt if the way removes less than half of the paragraphs, or raises their NLL less than half as
    much as its rival does.
    """
    gone = _gone(tables, settings, way, rival)[way]
    rows = tables["removal_damage"]
    rows = rows[(rows["mode"] == "joint") & (rows["group"] == "non_memorized")]
    nll = rows.pivot(index="id", columns="way", values="nll")
    own, doubt = _by_way(tables, "nll").mean(), None
    if 2 * gone.sum() < len(gone):
        doubt = f"{way} removes {gone.sum()} of {len(gone)} paragraphs, and a weak edit harms little"
    elif 2 * (own[way] - own[NOTHING]) < own[rival] - own[NOTHING]:
        more = f"{way} raises the NLL of removed paragraphs less than half as much as {rival}"
        doubt = f"{more}, and a weak edit harms little"
    return Estimate.of(studentised(nll[rival] - nll[way]), doubt=doubt)


def removal_masks_over_others(tables: Tables, settings: Section) -> Estimate:
    """Of the paragraphs that only masks or only the closer rival removes, the share that masks remove."""
    gone = _gone(tables, settings, MASKS, *RIVALS)
    used = tables["removal"].drop_duplicates("way").set_index("way")["setting"]
    shares = []
    for rival in RIVALS:
        more, less = int((gone[MASKS] & ~gone[rival]).sum()), int((gone[rival] & ~gone[MASKS]).sum())
        if not more + less:
            raise NotApplicable(f"{MASKS} and {rival} remove the same paragraphs")
        shares.append(share(more, more + less))
    used = used[[MASKS, *RIVALS]]
    differ = f"shares differ: {', '.join(f'{way}: {setting}' for way, setting in used.items())}"
    closest = min(shares, key=lambda share: (share.low, share.value))
    return Estimate.of(closest, doubt=differ if used.nunique() > 1 else None)


def removal_other_prefixes(tables: Tables, settings: Section, way: str) -> Estimate:
    """Share of removed paragraphs that other prefixes still recite, among those they recited before."""
    gone = _gone(tables, settings, way)[way]
    others = sum(_by_way(tables, name) for name in ("recited_perturbed", "recited_shifted")) > 0
    judging = others.loc[gone & others[NOTHING], way]
    if judging.empty:
        raise NotApplicable(f"{way} removes no paragraph that other prefixes recited")
    return Estimate.of_share(int(judging.sum()), len(judging))


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
