"""How early, and from what, one can tell that the model will recite (future work of the paper)."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from memloc.figures.parts.strata import STRATA, WORDS
from memloc.figures.parts.style import PAGE_WIDTH, Drawing, panel_label, subplots
from memloc.settings.base import Section
from memloc.statistics.uncertainty import Interval

# Label, colour and dash of what is drawn; residual streams are drawn by their best layer at each lead time.
SHOWN = {
    "nll": ("prefix NLL", "black", "-"),
    "min_k_plus": ("Min-K%++", "#888888", "-"),
    "zlib": ("NLL by zlib", "#bbbbbb", "-"),
    "bag_of_words": ("words alone", "#2e8b57", "--"),
    "attention": ("attention", "#8e44ad", "-"),
    "residual": ("residual stream, last layer", "#1f5fbf", "-"),
    "residual_untrained": ("the same, untrained model", "#1f5fbf", ":"),
    "nll_and_activations": ("NLL and activations", "#c8102e", "-"),
    "exposure": ("exposure (oracle)", "#d98e04", (0, (4, 1))),
}
WITH_INTERVAL = ("nll", "nll_and_activations")
ONCE = {"gradients": ("gradients", "^", "#e06377"), "shuffled_labels": ("shuffled labels", "x", "black")}


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """AUROC against lead time in every stratum, and the gain of activations over the prefix NLL."""
    found = tables["detection"].copy()
    found["lead"] = settings.paragraph.prefix - found["n_seen"]
    found["shown"] = found["features"].mask(found["features"] == _last_layer(found), "residual")
    present = [name for name in STRATA if (found["stratum"] == name).any()]
    figure, axes = subplots(PAGE_WIDTH, 3.0, ncols=max(len(present), 1) + 1, squeeze=False)
    *panels, gains = axes[0]
    for panel, name in zip(panels, present, strict=False):
        _aurocs(panel, found[found["stratum"] == name])
        panel.set_title(STRATA[name])
    if not present:
        panels[0].text(0.5, 0.5, "too few paragraphs", ha="center", transform=panels[0].transAxes)
    panels[0].set_ylabel("AUROC")
    _gains(gains, found, present)
    for panel, letter in zip(axes[0], "abcd", strict=False):
        panel.set_xlabel("lead time (tokens)")
        panel.invert_xaxis()
        panel_label(panel, letter)
    handles, labels = panels[0].get_legend_handles_labels()
    if handles:
        figure.legend(handles, labels, loc="outside lower center", ncols=4)
    return Drawing(figure, found.drop(columns="shown"), _numbers(found, present))


def _last_layer(found: pd.DataFrame) -> str | None:
    """Name of the features that are the residual stream after the last layer."""
    layers = found["features"].str.extract(r"^residual_(\d+)$")[0].dropna().astype(int)
    return f"residual_{layers.max()}" if len(layers) else None


def _aurocs(axes: Axes, found: pd.DataFrame) -> None:
    for name, (label, colour, dash) in SHOWN.items():
        rows = found[found["shown"] == name].sort_values("lead")
        axes.plot(rows["lead"], rows["auroc"], color=colour, ls=dash, marker="o", ms=2, label=label)
        if name in WITH_INTERVAL:
            axes.fill_between(
                rows["lead"], rows["auroc_low"], rows["auroc_high"], color=colour, alpha=0.12, lw=0
            )
    for name, (label, marker, colour) in ONCE.items():
        rows = found[found["shown"] == name]
        axes.plot(rows["lead"], rows["auroc"], marker, color=colour, ms=4, label=label)
    axes.axhline(0.5, color="0.8", lw=0.6, zorder=0)
    axes.set_ylim(None, 1.02)


def _gains(axes: Axes, found: pd.DataFrame, present: list[str]) -> None:
    """What activations add to the prefix NLL, with paired intervals."""
    together = found[found["features"] == "nll_and_activations"]
    for number, name in enumerate(present):
        rows = together[together["stratum"] == name].sort_values("lead")
        ends = rows["gain"] - rows["gain_low"], rows["gain_high"] - rows["gain"]
        axes.errorbar(
            rows["lead"] + 0.8 * (number - 1),
            rows["gain"],
            yerr=[end.clip(lower=0) for end in ends],
            color=("#888888", "#c8102e", "#2e8b57")[list(STRATA).index(name)],
            marker="o",
            ms=2.5,
            lw=0.8,
            label=STRATA[name],
        )
    axes.axhline(0, color="0.8", lw=0.6, zorder=0)
    axes.set_title("gain over the NLL")
    if present:
        axes.legend(loc="best")


def _numbers(found: pd.DataFrame, present: list[str]) -> dict[str, Any]:
    """What the caption names: at the whole prefix, and at the shortest one, of every stratum."""
    strata = {}
    for name in present:
        rows = found[found["stratum"] == name]
        first = rows.iloc[0]
        strata[name] = {
            **{key: int(first[key]) for key in ("n_positive", "n_negative", "n_clusters")},
            "whole": _values(rows[rows["n_seen"] == rows["n_seen"].max()]),
            "short": _values(rows[rows["n_seen"] == rows["n_seen"].min()]),
            "n_short": int(rows["n_seen"].min()),
        }
    return {"strata": strata, "last_layer": _last_layer(found), "words": WORDS}


def _values(rows: pd.DataFrame) -> dict[str, dict[str, Interval]]:
    """AUROC and gain by features."""
    return {
        row["shown"]: {measure: _interval(row, measure) for measure in ("auroc", "gain")}
        for _, row in rows.iterrows()
    }


def _interval(row: pd.Series, measure: str) -> Interval:
    low, high = row[f"{measure}_low"], row[f"{measure}_high"]
    if pd.isna(low):
        low, high = -np.inf, np.inf
    return Interval(row[measure], low, high, int(row["n_clusters"]))
