"""How well every method finds each kind of planted place: average precision of every plant (extended)."""

import textwrap

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from scipy.special import digamma

from memloc.figures.parts.methods import BASELINES, method_label, methods_of
from memloc.figures.parts.planted import CONTROL_LABELS, KIND_LABELS, means, of_own_units
from memloc.figures.parts.style import Drawing, subplots
from memloc.planting.damage import KEPT, MOST_NORM, intact
from memloc.settings.base import Section
from memloc.settings.model import GROWN_GRANULARITIES

CONTROL_COLOURS = {"plant": "#c8102e", "wrong": "#8e44ad", "twin": "#1f5fbf", "never": "#7f7f7f"}
SHIFTS = {"plant": -0.24, "wrong": 0.0, "twin": 0.24, "never": 0.0}
TOLD = ("parameter_gradient", "integrated_gradients", "zero_ablation", "mean_ablation", "weight_size")
MEASURES = ("average_precision", "recall_1")


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """A panel per kind, a row per method: every plant and control faintly, their means with intervals.

    Lines show the average precision expected of a random order, and the size of the weights alone. The CSV
    also has recall, all baselines, the oracle, and means over the plants that leave other text intact.
    """
    rows = of_own_units(tables["planted_truth"])
    methods = [name for name in methods_of(rows) if name not in BASELINES]
    kinds, found = kinds_of(rows), means(rows, "average_precision")
    height = 0.9 + 0.19 * len(methods)
    figure, axes = subplots(height, ncols=max(len(kinds), 1), sharey=True, squeeze=False)
    if not kinds:
        axes[0][0].set(title="no plant reached the criterion", xticks=[])
    for panel, kind in zip(axes[0][: len(kinds)], kinds, strict=True):
        _panel(panel, rows[rows["kind"] == kind], found[found["kind"] == kind], methods)
        panel.set(
            title=textwrap.fill(KIND_LABELS[kind], 78 // len(kinds)), xlim=(-0.06, 1.06), xticks=(0, 0.5, 1)
        )
        panel.set_xticklabels(["0", ".5", "1"])
    axes[0][0].set_yticks(range(len(methods)), [method_label(name) for name in methods])
    axes[0][0].set_ylim(max(len(methods), 1) - 0.5, -0.5)
    figure.supxlabel("average precision", fontsize=7)
    marks = [zip(*panel.get_legend_handles_labels()[::-1], strict=True) for panel in axes[0]]
    shown = dict(mark for panel in marks for mark in panel)
    figure.legend(shown.values(), shown.keys(), loc="outside upper center", ncols=5)
    numbers = {
        "kinds": numbers_of(tables["plants"]),
        "grown": [
            {
                "kind": KIND_LABELS[kind],
                **{name: rows.loc[rows["kind"] == kind, name].nunique() for name in ("plant", "id")},
                "found": _found(found[(found["kind"] == kind) & (found["control"] == "plant")]),
            }
            for kind in kinds
            if kind in GROWN_GRANULARITIES
        ],
        "kept": f"{KEPT:.0%}",
        "most_norm": MOST_NORM,
        "controls": sorted(rows["control"].unique()),
    }
    return Drawing(figure, _data(tables["plants"], rows), numbers)


def _found(of_memories: pd.DataFrame) -> str:
    """Mean precision of methods that the caption names, where they were asked."""
    values = of_memories.set_index("method")["value"]
    said = ", ".join(f"{method_label(name)} {values[name]:.2f}" for name in TOLD if name in values)
    return said.replace("|", r"\|")  # in captions, bars are markup


def _panel(axes: Axes, rows: pd.DataFrame, found: pd.DataFrame, methods: list[str]) -> None:
    for place in range(0, len(methods), 2):
        axes.axhspan(place - 0.5, place + 0.5, color="0.96", lw=0, zorder=0)
    size = found.loc[(found["method"] == "weight_size") & (found["control"] == "plant"), "value"].iloc[0]
    for name, value, dash in (("chance", chance(rows), ":"), ("|weight|", size, "--")):
        axes.axvline(value, color="0.4", lw=0.9, ls=dash, label=name, zorder=1)
    shown = [frame[frame["method"].isin(methods)] for frame in (rows, found)]
    for control, colour in CONTROL_COLOURS.items():
        own, mean = (frame[frame["control"] == control] for frame in shown)
        if own.empty:
            continue
        places = {name: place + SHIFTS[control] for place, name in enumerate(methods)}
        faint, bold = own["method"].map(places), mean["method"].map(places)
        axes.scatter(own["average_precision"], faint, s=3, color=colour, alpha=0.25, linewidth=0)
        axes.hlines(bold, mean["low"].clip(0, 1), mean["high"].clip(0, 1), color=colour, lw=0.9)
        axes.scatter(mean["value"], bold, s=11, color=colour, label=CONTROL_LABELS[control], zorder=3)
    axes.tick_params(axis="y", length=0)


def chance(rows: pd.DataFrame) -> float:
    """Average precision expected of a random order of n units, of which k are the place; mean over plants."""
    n, k = rows["n_units"], rows["n_place"]
    harmonic = digamma(n + 1) + np.euler_gamma
    return float(((harmonic + (k - 1) / (n - 1).clip(1) * (n - harmonic)) / n).mean())


def _data(plants: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """Means of both measures, over all plants and over those that leave other text intact."""
    kept = plants[intact(plants)][["kind", "plant", "attempt"]]
    chosen = {"all": rows, "intact": rows.merge(kept, on=["kind", "plant", "attempt"])}
    found = [
        means(own, measure).assign(measure=measure, plants=name)
        for name, own in chosen.items()
        for measure in MEASURES
        if len(own)
    ]
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=["kind", "measure"])


def kinds_of(rows: pd.DataFrame) -> list[str]:
    """Kinds that have rows, in the order of their labels."""
    return [kind for kind in KIND_LABELS if kind in set(rows["kind"])]


def numbers_of(plants: pd.DataFrame) -> list[dict]:
    """For each kind: plants that reached the criterion, tries, and plants that leave other text intact."""
    found = []
    for kind in kinds_of(plants):
        rows = plants[plants["kind"] == kind]
        reached = rows[rows["reached"]]
        raised = reached["nll_held_out"] / reached["nll_held_out_before"] - 1
        kept = reached["em_memorized"].dropna()
        found.append(
            {
                "kind": KIND_LABELS[kind],
                "n_reached": len(reached),
                "n_tries": len(rows),
                "n_intact": int(intact(rows).sum()),
                "damage": f"{100 * np.median(raised):+.1f} %" if len(raised) else "unknown",
                "em_memorized": f"{kept.median():.0f}" if len(kept) else "unknown",
            }
        )
    return found
