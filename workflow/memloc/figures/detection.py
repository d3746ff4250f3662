"""How early, and by which features, recitation can be detected (future work of the paper)."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes

from memloc.figures.parts.style import PAGE_WIDTH, Drawing, Numbers, panel_labels
from memloc.settings.base import Section
from memloc.statistics.uncertainty import Interval

# Label and colour of the features, from top to bottom.
FEATURES = {
    "nll": ("prefix NLL", "black"),
    "nll_and_residual": ("NLL and residual stream", "#c8102e"),
    "min_k": ("Min-K%", "#777777"),
    "zlib": ("NLL by zlib", "#777777"),
    "residual": ("residual stream", "#1f5fbf"),
    "bag_of_words": ("words alone", "#2e8b57"),
    "exposure": ("exposure (oracle)", "#d98e04"),
}
CURVES = ("nll", "nll_and_residual", "residual", "bag_of_words")
# The hardest stratum comes first.
STRATA = {
    "boundary": "recited from others\nin the boundary zone",
    "all": "recited from others",
    "unseen": "seen from unseen",
}


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """AUROC in every stratum: above against lead time, below of all features from the whole prefix."""
    found = tables["detection"].copy()
    found["lead"] = settings.paragraph.prefix - found["n_seen"]
    present = [name for name in STRATA if (found["stratum"] == name).any()]
    figure = plt.figure(figsize=(PAGE_WIDTH, 4.6))
    upper, lower = figure.subfigures(2, height_ratios=(1, 1.15))
    curves, dots = (part.subplots(ncols=max(len(present), 1), squeeze=False)[0] for part in (upper, lower))
    floor = min(0.45, found["auroc_low"].min() - 0.02) if len(found) else 0.45
    for above, below, name in zip(curves, dots, present, strict=False):
        rows = found[found["stratum"] == name]
        _curves(above, rows)
        _features(below, rows[rows["lead"] == rows["lead"].min()], first=below is dots[0])
        above.set(title=STRATA[name], ylim=(floor, 1.02))
        below.set(title=STRATA[name], xlim=(floor, 1.04))
        if above is not curves[0]:
            above.tick_params(labelleft=False)
    if not present:
        curves[0].text(0.5, 0.5, "too few paragraphs", ha="center", transform=curves[0].transAxes)
    curves[0].set_ylabel("AUROC")
    upper.legend(*curves[0].get_legend_handles_labels(), loc="outside upper center", ncols=len(CURVES))
    for panel in curves:
        panel.set_xlabel("lead time (tokens)")
        panel.invert_xaxis()
    panel_labels((*curves, dots[0]))
    return Drawing(figure, found, _numbers(found, present))


def _curves(axes: Axes, found: pd.DataFrame) -> None:
    for name in CURVES:
        rows, (label, colour) = found[found["features"] == name].sort_values("lead"), FEATURES[name]
        axes.fill_between(rows["lead"], rows["auroc_low"], rows["auroc_high"], color=colour, alpha=0.12, lw=0)
        axes.plot(rows["lead"], rows["auroc"], color=colour, marker="o", ms=2, label=label)
    axes.axhline(0.5, color="0.7", lw=0.6, ls=":", zorder=0)


def _features(axes: Axes, found: pd.DataFrame, first: bool) -> None:
    """A row per feature with its interval; names beside the first panel only."""
    for place, (name, (_, colour)) in enumerate(FEATURES.items()):
        rows = found[found["features"] == name]
        axes.hlines([place] * len(rows), rows["auroc_low"], rows["auroc_high"], color=colour, lw=1.2)
        axes.plot(rows["auroc"], [place] * len(rows), "o", color=colour, ms=3.5)
    axes.axvline(0.5, color="0.7", lw=0.6, ls=":", zorder=0)
    axes.set(ylim=(len(FEATURES) - 0.5, -0.5), xlabel="AUROC, whole prefix")
    axes.set_yticks(range(len(FEATURES)), [label for label, _ in FEATURES.values()] if first else [])
    for tick, (_, colour) in zip(axes.get_yticklabels(), FEATURES.values(), strict=False):
        tick.set_color(colour)
    axes.tick_params(axis="y", length=0)


def _numbers(found: pd.DataFrame, present: list[str]) -> Numbers:
    """Numbers of every stratum from the whole prefix."""
    strata = {}
    for name in present:
        rows = found[found["stratum"] == name]
        whole = rows[rows["n_seen"] == rows["n_seen"].max()].set_index("features")
        strata[name] = {
            **{key: int(whole[key].iloc[0]) for key in ("n_positive", "n_negative")},
            **{feature: _interval(whole.loc[feature], "auroc") for feature in ("nll", "bag_of_words")},
            "gain": _interval(whole.loc["nll_and_residual"], "gain"),
            "words_suffice": bool(whole["auroc"]["bag_of_words"] >= whole["auroc"]["nll_and_residual"]),
        }
    return {"strata": strata, "words": STRATA}


def _interval(row: pd.Series, measure: str) -> Interval:
    return Interval(*row[[measure, f"{measure}_low", f"{measure}_high"]], int(row["n_clusters"]))
