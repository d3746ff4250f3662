"""What figures of planted truth share: names, and values by the units that a place is made of."""

import numpy as np
import pandas as pd

from memloc.settings.planted_truth import PLANT_GRANULARITIES
from memloc.statistics import uncertainty

KIND_LABELS = {
    "head_vo": "a head (V, O)",
    "head_all": "a head (all)",
    "two_heads": "two heads",
    "neurons": "neurons of a layer",
    "inj_1": "1 % of value vectors",
    "inj_0.1": "0.1 % of value vectors",
    "scattered_1": "1 % of weights",
    "scattered_0.1": "0.1 % of weights",
}
CONTROL_LABELS = {"plant": "the plant", "wrong": "with a wrong paragraph", "twin": "the unplanted twin"}
MOST_DAMAGE = 0.05  # by which a plant may raise the NLL of held-out text


def of_own_units(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows by the units that each kind of place is made of."""
    own = rows["kind"].map({kind: units[0] for kind, units in PLANT_GRANULARITIES.items()})
    return rows[rows["granularity"] == own]


def means(rows: pd.DataFrame, value: str) -> pd.DataFrame:
    """Mean of a value over plants with its interval (value, low, high, n), by kind, control and method."""
    return uncertainty.means(rows.groupby(["kind", "control", "method"])[value]).reset_index()


def kinds_of(rows: pd.DataFrame) -> list[str]:
    """Kinds that there are rows of, in the order of their labels."""
    return [kind for kind in KIND_LABELS if kind in set(rows["kind"])]


def damage(plants: pd.DataFrame) -> pd.Series:
    """Share by which each plant raises the NLL of held-out text."""
    return plants["nll_held_out"] / plants["nll_held_out_before"] - 1


def numbers_of(plants: pd.DataFrame) -> list[dict]:
    """Of each kind: plants that reached the criterion, tries, and plants that damage other text."""
    found = []
    for kind in kinds_of(plants):
        rows = plants[plants["kind"] == kind]
        reached = rows[rows["reached"]]
        harmful = int((damage(reached) > MOST_DAMAGE).sum())
        labels = {"kind": KIND_LABELS[kind], "n_reached": len(reached), "n_tries": len(rows)}
        kept = reached["em_memorized"].dropna()
        left = f"{kept.median():.0f}" if len(kept) else "unknown"
        found.append(
            {**labels, "n_damaging": harmful, "damage": _percent(damage(reached)), "em_memorized": left}
        )
    return found


def _percent(values: pd.Series) -> str:
    return f"{100 * np.median(values):+.1f} %" if len(values) else "unknown"
