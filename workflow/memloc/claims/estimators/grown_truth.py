"""Estimators of the topic `grown_truth`: which methods find a paragraph where it grew.

Methods are judged by the units that a kind of place is made of (heads, neurons), and compared paragraph by
paragraph.
"""

from memloc.claims.verdicts import NotApplicable, Tables
from memloc.settings.base import Section
from memloc.settings.model import GROWN_GRANULARITIES
from memloc.statistics.exact import Evidence, median


def grown_heads_beyond_their_weights(tables: Tables, settings: Section, kind: str) -> Evidence:
    """Average precision (in points) of the largest gradient minus its precision in the swap twin.

    A paragraph that grew in the model and in its swap twin has the mean of both.

    Raises:
        NotApplicable: no memory of the kind was asked about.
    """
    if "grown_truth" in tables:
        rows = tables["grown_truth"].query("kind == @kind and method == 'parameter_gradient'")
        rows = rows[rows["granularity"] == GROWN_GRANULARITIES[kind][0]]
        found = rows.groupby(["id", "control"], observed=True)["average_precision"].mean().unstack("control")
        if {"own", "twin"} <= set(found):
            return median(100 * (found["own"] - found["twin"]))
    raise NotApplicable(
        f"no memory that grew in {kind.removeprefix('grown_')} was asked about: see model.grown"
    )
