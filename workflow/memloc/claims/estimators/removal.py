"""Estimators of the topic `removal`: ways to remove recitation, removing paragraphs together.

Differences of two ways are paired by paragraph, or by text where it judges damage.
"""

import pandas as pd

from memloc.claims.verdicts import Estimate
from memloc.settings.base import Section
from memloc.settings.removal_ways import NOTHING
from memloc.statistics import uncertainty

Tables = dict[str, pd.DataFrame]
FORGOTTEN = 0.04  # share of the continuation: who forgets fewer tokens forgets nothing
REMOVED = 0.5  # share of the continuation that must be forgotten before it counts what that cost


def forgets_more(tables: Tables, settings: Section, way: str, rival: str, alike: bool = False) -> Estimate:
    """How many more tokens paragraphs forget by a way than by a rival; in doubt if the settings should be
    `alike` and are not."""
    if missing := _missing(tables, way, rival):
        return missing
    em, used = _of_paragraphs(tables, "em"), _of_paragraphs(tables, "setting").iloc[0]
    if not any(_forgets(em, one, settings) for one in (way, rival)):
        return Estimate(missing=f"neither {way} nor {rival} makes the model forget anything")
    differ = f"one has {used[way]}, the other {used[rival]}" if alike and used[way] != used[rival] else None
    return Estimate.of(uncertainty.paired(em[rival] - em[way]), differ)


def spares_more(tables: Tables, settings: Section, way: str, rival: str) -> Estimate:
    """How many more tokens own continuations of others keep by a way than by a rival; in doubt if the way
    removes little."""
    if missing := _missing(tables, way, rival):
        return missing
    rows = tables["removal_damage"]
    rows = rows[(rows["mode"] == "joint") & (rows["group"] == "non_memorized")]
    kept = rows.pivot(index="id", columns="way", values="em")
    forgotten = float((_of_paragraphs(tables, "em")[NOTHING] - _of_paragraphs(tables, "em")[way]).mean())
    hardly = forgotten < REMOVED * settings.paragraph.continuation
    doubt = f"it forgets only {forgotten:.1f} tokens, and what does little harms little" if hardly else None
    return Estimate.of(uncertainty.paired(kept[way] - kept[rival]), doubt)


def stays_nearer(tables: Tables, settings: Section, way: str, rival: str) -> Estimate:
    """How many more edits, as a share of the continuation, separate it from what a rival generates."""
    if missing := _missing(tables, way, rival):
        return missing
    em, edits = (_of_paragraphs(tables, column) for column in ("em", "edit_distance"))
    for one in (way, rival):  # else the paragraph itself is generated
        if not _forgets(em, one, settings):
            return Estimate(missing=f"{one} makes the model forget nothing")
    return Estimate.of(uncertainty.paired(edits[rival] - edits[way]))


def survives_other_prefixes(tables: Tables, settings: Section, way: str) -> Estimate:
    """Of paragraphs that their own prefix no longer recites, the share of other prefixes that still does."""
    if missing := _missing(tables, way):
        return missing
    gone = _of_paragraphs(tables, "em")[way] < settings.paragraph.continuation
    if not gone.any():
        return Estimate(missing=f"{way} removes no paragraph")
    others = (_of_paragraphs(tables, name)[way] for name in ("recited_perturbed", "recited_shifted"))
    return Estimate.of(uncertainty.mean((sum(others) / 2)[gone]))


def _forgets(em: pd.DataFrame, way: str, settings: Section) -> bool:
    """Whether a way makes the model forget more than next to nothing, given EM by paragraph and way."""
    return bool(em[NOTHING].mean() - em[way].mean() >= FORGOTTEN * settings.paragraph.continuation)


def _of_paragraphs(tables: Tables, column: str) -> pd.DataFrame:
    """A column by removed paragraph (rows) and way (columns), removing together."""
    rows = tables["removal"]
    return rows[rows["mode"] == "joint"].pivot(index="id", columns="way", values=column)


def _missing(tables: Tables, *ways: str) -> Estimate | None:
    """Why a claim does not apply: a way that it needs was not run."""
    known = set(tables["removal"]["way"]) if "removal" in tables else set()
    absent = [way for way in ways if way not in known]
    return Estimate(missing=f"{absent[0]} was not run: see remove.ways") if absent else None
