"""Estimators of the topic `planted_truth`: which methods find a paragraph where it was planted.

Methods are judged by the units that a kind of place is made of (heads, neurons), and compared plant by plant.
"""

import pandas as pd

from memloc.claims.verdicts import Estimate, NotApplicable, Tables
from memloc.planting.damage import intact
from memloc.settings.base import Section
from memloc.settings.planted_truth import GRANULARITIES
from memloc.statistics.studentised import extreme, simultaneous, studentised


def grown_heads_beyond_their_weights(tables: Tables, settings: Section, kind: str) -> Estimate:
    """Average precision of the largest gradient, memory minus its swap twin's, minus the same of |weight|.

    Without twins: the memory's minus a wrong paragraph's, or minus that of |weight|, whichever is smaller.
    |weight| is the same for every paragraph, so it would cancel against a wrong one.
    """
    if "planted_truth" in tables and "twin" in set(tables["planted_truth"].query("kind == @kind")["control"]):
        return Estimate.of(studentised(_beyond_weights(tables, kind, "twin")))
    wanted = [("plant", "parameter_gradient"), ("wrong", "parameter_gradient"), ("plant", "weight_size")]
    precision = _scores(tables, kind, "average_precision", wanted)
    return Estimate.of(extreme(min, simultaneous(-precision[[1, 2]].sub(precision[0], axis=0).to_numpy())))


def planted_heads_beyond_their_weights(tables: Tables, settings: Section, kind: str) -> Estimate:
    """Average precision of the largest gradient, plant minus unplanted twin, minus the same of |weight|.

    Only plants that leave other text intact count.
    """
    more, plants = _beyond_weights(tables, kind, "twin"), tables["plants"].query("kind == @kind")
    return Estimate.of(studentised(more[more.index.isin(plants.loc[intact(plants), "id"])]))


def _beyond_weights(tables: Tables, kind: str, control: str) -> pd.Series:
    """By paragraph. A method that always names the same units is equally precise in both."""
    methods = ["parameter_gradient", "weight_size"]
    wanted = [(asked, method) for method in methods for asked in ("plant", control)]
    precision = _scores(tables, kind, "average_precision", wanted)
    return (precision[0] - precision[1]) - (precision[2] - precision[3])


def _scores(tables: Tables, kind: str, value: str, wanted: list[tuple[str, str]]) -> pd.DataFrame:
    """A value by paragraph (rows) and (control, method), numbered (columns).

    A paragraph that grew in the model and in its swap twin has the mean of both.

    Raises:
        NotApplicable: one was not asked.
    """
    if "planted_truth" in tables:
        rows = tables["planted_truth"].query("kind == @kind")
        rows = rows[rows["granularity"] == GRANULARITIES[kind][0]]
        wide = rows.pivot_table(index="id", columns=["control", "method"], values=value, observed=True)
        if set(wanted) <= set(wide):
            return wide[wanted].set_axis(range(len(wanted)), axis=1)
    methods = ", ".join(dict.fromkeys(method for _, method in wanted))
    raise NotApplicable(f"not all of {methods} were asked about plants of kind {kind}: see planted_truth")
