"""Estimators of the topic `planted_truth`: which methods find a paragraph where it was planted.

Methods are judged by the units that a kind of place is made of (heads, neurons), and compared plant by plant.
"""

import pandas as pd

from memloc.claims.verdicts import Estimate, NotApplicable, Tables
from memloc.planting.damage import intact
from memloc.settings.base import Section
from memloc.settings.planted_truth import GRANULARITIES
from memloc.statistics.studentised import extreme, simultaneous


def grown_heads_beyond_their_weights(tables: Tables, settings: Section, kind: str) -> Estimate:
    """Average precision of the largest gradient minus its precision in the swap twin, or minus |weight|'s.

    The smaller difference counts. Without twins, a question about a wrong paragraph replaces the twin.
    """
    rows = tables.get("planted_truth", pd.DataFrame({"kind": [], "control": []}))
    twins = "twin" in set(rows.loc[rows["kind"] == kind, "control"])
    return _beyond(_precisions(tables, kind, "twin" if twins else "wrong"))


def planted_heads_beyond_their_weights(tables: Tables, settings: Section, kind: str) -> Estimate:
    """The same for plants that leave other text intact; their twin is the unplanted model."""
    found, plants = _precisions(tables, kind, "twin"), tables["plants"].query("kind == @kind")
    return _beyond(found[found.index.isin(plants.loc[intact(plants), "id"])])


def _beyond(precisions: pd.DataFrame) -> Estimate:
    """Lead of the first column over each other one; the smaller lead counts.

    |weight| ranks units alike for every paragraph. Where paragraphs grow in each other's places, it is
    as precise in the twin on average, so its difference from the twin would be 0 and test nothing.
    """
    leads = -precisions[[1, 2]].sub(precisions[0], axis=0)
    return Estimate.of(extreme(min, simultaneous(leads.to_numpy())))


def _precisions(tables: Tables, kind: str, control: str) -> pd.DataFrame:
    """Average precision by paragraph: of the largest gradient, of its answer about a control, of |weight|.

    A paragraph that grew in the model and in its swap twin has the mean of both.

    Raises:
        NotApplicable: one of the three is not in the table.
    """
    wanted = [("plant", "parameter_gradient"), (control, "parameter_gradient"), ("plant", "weight_size")]
    if "planted_truth" in tables:
        rows = tables["planted_truth"].query("kind == @kind")
        rows = rows[rows["granularity"] == GRANULARITIES[kind][0]]
        found = rows.groupby(["id", "control", "method"], observed=True)["average_precision"].mean()
        if set(wanted) <= set(wide := found.unstack(["control", "method"])):
            return wide[wanted].set_axis(range(len(wanted)), axis=1)
    place = kind.replace("_", " ") if kind.startswith("grown") else f"planted {kind}"
    raise NotApplicable(f"not all methods were asked about {place}: see planted_truth")
