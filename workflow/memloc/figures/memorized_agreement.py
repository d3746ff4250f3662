"""A published list of memorized paragraphs against those of the run (not in the paper)."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from memloc.figures.parts.style import COLOURS, PAGE_WIDTH, Drawing, panel_label, subplots
from memloc.published.expected import agreement_numbers
from memloc.settings.base import Section

MEANS = {"nll": "continuation", "nll_paragraph": "paragraph"}  # what this run's NLL is a mean over
GROUPS = (("n_both", "both"), ("n_only_here", "only this run"), ("n_only_published", "only published"))


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """(a) Sizes of the overlap; (b, c) difference of both NLLs (nats per token) against the published NLL."""
    data = tables["memorized_agreement"]
    numbers = agreement_numbers(data)
    figure, (sizes, *differences) = subplots(PAGE_WIDTH, 2.2, ncols=3)
    _draw_sizes(sizes, numbers)
    panel_label(sizes, "a")
    found = data[data["published"] & data["id"].notna()]
    for axes, (mean, text), letter in zip(differences, MEANS.items(), "bc", strict=True):
        _draw_difference(axes, found, mean)
        axes.set_ylabel(f"this run's NLL of the {text}\nminus the published")
        panel_label(axes, letter)
    handles, labels = differences[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper right", ncols=2, markerscale=2)
    return Drawing(figure, data, numbers)


def _draw_sizes(sizes: Axes, numbers: dict[str, Any]) -> None:
    bars = sizes.barh([label for _, label in GROUPS], [numbers[key] for key, _ in GROUPS], color="0.7")
    bars[0].set_color(COLOURS["memorized"])
    sizes.bar_label(bars, padding=2, fontsize=6)
    sizes.invert_yaxis()
    sizes.margins(x=0.2)
    sizes.set(xlabel="memorized paragraphs")


def _draw_difference(axes: Axes, found: pd.DataFrame, mean: str) -> None:
    for memorized, label in ((True, "memorized here"), (False, "not memorized here")):
        rows = found[found["memorized"] == memorized]
        colour = COLOURS["memorized" if memorized else "non_memorized"]
        axes.scatter(
            rows["published_nll"],
            rows[mean] - rows["published_nll"],
            s=5,
            alpha=0.6,
            linewidths=0,
            color=colour,
            label=f"{label}, {len(rows):,}",
        )
    axes.axhline(0, color="0.6", lw=0.6, zorder=0)
    axes.set(xlabel="published NLL (nats per token)", xlim=(0, None))
