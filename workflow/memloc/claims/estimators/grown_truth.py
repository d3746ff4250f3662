"""Estimators of the topic `grown_truth`: which methods find a paragraph where it grew.

Methods are judged by the units that a kind of place is made of (heads, neurons), and compared paragraph by
paragraph.
"""

import pandas as pd

from memloc.claims.verdicts import Estimate, NotApplicable, Tables
from memloc.settings.base import Section
from memloc.settings.model import GROWN_GRANULARITIES
from memloc.statistics.studentised import extreme, simultaneous


def grown_heads_beyond_their_weights(tables: Tables, settings: Section, kind: str) -> Estimate:
    """Average precision of the largest gradient minus its precision in the swap twin, or minus |weight|'s.

    The smaller difference counts. |weight| ranks units alike for every paragraph. Where paragraphs grow in
    each other's places, it is as precise in the twin on average, so its difference from the twin would be 0
    and test nothing.
    """
    precisions = _precisions(tables, kind)
    leads = -precisions[[1, 2]].sub(precisions[0], axis=0)
    return Estimate.of(extreme(min, simultaneous(leads.to_numpy())))


def _precisions(tables: Tables, kind: str) -> pd.DataFrame:
    """Average precision by paragraph: of the largest gradient, of its answer in the twin, of |weight|.

    A paragraph that grew in the model and in its swap twin has the mean of both.

    Raises:
        NotApplicable: one of the three is not in the table.
    """
    wanted = [("own", "parameter_gradient"), ("twin", "parameter_gradient"), ("own", "weight_size")]
    if "grown_truth" in tables:
        rows = tables["grown_truth"].query("kind == @kind")
        rows = rows[rows["granularity"] == GROWN_GRANULARITIES[kind][0]]
        found = rows.groupby(["id", "control", "method"], observed=True)["average_precision"].mean()
        if set(wanted) <= set(wide := found.unstack(["control", "method"])):
            return wide[wanted].set_axis(range(len(wanted)), axis=1)
    raise NotApplicable(
        f"no memory that grew in {kind.removeprefix('grown_')} was asked about: see model.grown"
    )
