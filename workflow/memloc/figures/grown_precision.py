"""How well every method finds the place of each grown memory: average precision (extended)."""

import textwrap

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from scipy.special import digamma

from memloc.figures.parts.grown import ASKED_LABELS, KIND_LABELS, means, of_own_units
from memloc.figures.parts.methods import BASELINES, method_label, methods_of
from memloc.figures.parts.style import Drawing, Numbers, dots, subplots
from memloc.settings.base import Section
from memloc.statistics.uncertainty import Interval

LOOKS = {
    "own": (ASKED_LABELS["own"], "#c8102e", "o"),
    "never": (ASKED_LABELS["never"], "#7f7f7f", "o"),
    "twin": (ASKED_LABELS["twin"], "#1f5fbf", "o"),
}
MEASURES = ("average_precision", "recall", "auroc_in_layer")


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """A panel per kind, a row per method: memories faintly, by the model that is asked; means with intervals.
    The CSV also has recall, AUROC, all baselines and the oracle."""
    rows = of_own_units(tables["grown_truth"])
    methods = [name for name in methods_of(rows) if name not in BASELINES]
    kinds = [kind for kind in KIND_LABELS if kind in set(rows["kind"])]
    found = means(rows, "average_precision")
    height = 0.9 + 0.19 * len(methods)
    figure, axes = subplots(height, ncols=max(len(kinds), 1), sharey=True, squeeze=False)
    if not kinds:
        axes[0][0].set(title="no memory is recited", xticks=[])
    for panel, kind in zip(axes[0][: len(kinds)], kinds, strict=True):
        _panel(panel, rows[rows["kind"] == kind], found[found["kind"] == kind], methods)
        panel.set(title=textwrap.fill(KIND_LABELS[kind], 78 // len(kinds)), xlim=(-0.06, 1.06))
        panel.set_xticks((0, 0.5, 1), ["0", ".5", "1"])
    figure.supxlabel("average precision", fontsize=7)
    marks = [zip(*panel.get_legend_handles_labels()[::-1], strict=True) for panel in axes[0]]
    shown = dict(mark for panel in marks for mark in panel)
    figure.legend(shown.values(), shown.keys(), loc="outside upper center", ncols=5)
    numbers = [_numbers(found[found["kind"] == kind], kind, methods) for kind in kinds]
    data = pd.concat(
        [means(rows.dropna(subset=measure), measure).assign(measure=measure) for measure in MEASURES]
    )
    return Drawing(figure, data.reset_index(drop=True), {"kinds": numbers})


def _numbers(found: pd.DataFrame, kind: str, methods: list[str]) -> Numbers:
    """The method with the largest mean in the memories' own models, its mean in twins, and that by size."""
    values = found.set_index(["asked_model", "method"])[[*Interval._fields]]
    best = values.loc["own"].loc[lambda own: own.index.isin(methods), "value"].idxmax()
    *ends, n = values.loc["own", best]
    twin, size = (values["value"].get(key) for key in (("twin", best), ("own", "weight_size")))
    said = {"kind": KIND_LABELS[kind], "best": method_label(best)}
    return said | {"own": Interval(*ends, int(n)), "n_paragraphs": int(n), "twin": twin, "size": size}


def _panel(axes: Axes, rows: pd.DataFrame, found: pd.DataFrame, methods: list[str]) -> None:
    size = found.loc[(found["method"] == "weight_size") & (found["asked_model"] == "own"), "value"].iloc[0]
    for name, value, dash in (("chance", chance(rows), ":"), ("size of the weights", size, "--")):
        axes.axvline(value, color="0.4", lw=0.9, ls=dash, label=name, zorder=1)
    looks = {name: look for name, look in LOOKS.items() if (rows["asked_model"] == name).any()}
    faint = rows.rename(columns={"average_precision": "value"})
    labels = {name: method_label(name) for name in methods}
    dots(axes, found, "method", labels, "asked_model", looks, faint)


def chance(rows: pd.DataFrame) -> float:
    """Average precision expected of a random order of n units, of which k are the place; mean over rows."""
    n, k = rows["n_units"], rows["n_place"]
    harmonic = digamma(n + 1) + np.euler_gamma
    return float(((harmonic + (k - 1) / (n - 1).clip(1) * (n - harmonic)) / n).mean())
