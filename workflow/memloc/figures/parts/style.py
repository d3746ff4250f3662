"""One look for all figures: colours of the sets, widths of a page, fonts, marks for invisible characters."""

from collections.abc import Iterable
from dataclasses import dataclass
from string import ascii_lowercase
from typing import Any

import matplotlib
import numpy as np
import pandas as pd

from memloc.settings.base import Section

matplotlib.use("Agg")

import matplotlib.pyplot as plt  # noqa: E402
from matplotlib.axes import Axes  # noqa: E402
from matplotlib.axis import Axis  # noqa: E402
from matplotlib.figure import Figure, SubFigure  # noqa: E402
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter  # noqa: E402

from memloc.tables.terms.sets import PARTLY, bins  # noqa: E402

COLUMN_WIDTH = 3.4  # inches, one column of a two-column page
PAGE_WIDTH = 7.0

# Red, blue and purple as in the paper, in tones that stay apart for colour-blind readers and in grey.
COLOURS = {
    "memorized": "#c8102e",
    "non_memorized": "#1f5fbf",
    "perturbed": "#8e44ad",
    "partly_11_29": "#7fa8d9",
    "partly_30_49": "#e79aa5",
    "contrastive": "#555555",
    "unseen": "#2e8b57",
    "held_out": "#9aa58f",
    "repeated": "#333333",
}
LABELS = {
    "memorized": "memorized",
    "non_memorized": "non-memorized",
    "perturbed": "perturbed memorized",
    "contrastive": "contrastive, after one step",
    "unseen": "unseen",
    "held_out": "held out, with copies",
}
DIRECTION_LABELS = {
    "memorized_into_perturbed": "memorized patched into perturbed",
    "perturbed_into_memorized": "perturbed patched into memorized",
}
BY_EXACT_MATCH = ("non_memorized", *PARTLY, "memorized")
SEQUENTIAL = "viridis"
DIVERGING = "RdBu_r"
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")

VISIBLE = {"\n": "\u21b5", "\t": "\u21e5", "\r": "\u240d", " ": "\u2423"}

STYLE = {
    "font.size": 7,
    "font.family": "DejaVu Sans",
    "axes.titlesize": 7.5,
    "axes.labelsize": 7,
    "xtick.labelsize": 6,
    "ytick.labelsize": 6,
    "legend.fontsize": 6,
    "legend.frameon": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "lines.linewidth": 1.0,
    "figure.constrained_layout.use": True,
    "savefig.dpi": 200,
    "pdf.fonttype": 42,
    "text.parse_math": False,
}


@dataclass(frozen=True)
class Drawing:
    """A figure, its plotted `data`, the numbers of its caption, and its HTML page."""

    figure: Figure
    data: pd.DataFrame
    numbers: dict[str, Any]
    page: str | None = None


def subplots(height: float, width: float = PAGE_WIDTH, **options: Any) -> tuple[Figure, Any]:
    """Figure and axes in the common style; height and width in inches."""
    plt.rcParams.update(STYLE)
    return plt.subplots(figsize=(width, height), **options)


def mosaic(layout: str | list[list[str]], height: float, **options: Any) -> tuple[Figure, dict[str, Axes]]:
    """Figure and panels by their names in `layout` ("aab;ccc": rows of letters), in the common style."""
    plt.rcParams.update(STYLE)
    return plt.subplot_mosaic(layout, figsize=(PAGE_WIDTH, height), **options)


def two_rows(height: float, ratios: tuple[float, float]) -> tuple[Figure, SubFigure, SubFigure]:
    """Figure in the common style with two rows of independent columns."""
    plt.rcParams.update(STYLE)
    figure = plt.figure(figsize=(PAGE_WIDTH, height))
    return figure, *figure.subfigures(2, 1, height_ratios=ratios)


def counted_by_set(
    axes: Axes,
    data: pd.DataFrame,
    column: str,
    edges: np.ndarray,
    settings: Section,
    orientation: str = "vertical",
) -> None:
    """Paragraphs by a column, a line of steps per set, each from 0 on, on a logarithmic axis of counts."""
    for name in BY_EXACT_MATCH:
        values = data.loc[data["set"] == name, column]
        if len(values):
            look = {"color": COLOURS[name], "label": set_labels(settings)[name], "orientation": orientation}
            axes.stairs(np.histogram(values, edges)[0], edges, **look, lw=1.1)
    counts = "y" if orientation == "vertical" else "x"
    axes.set(**{f"{counts}scale": "log", f"{counts}label": "paragraphs", f"{counts}lim": (0.7, None)})
    plain_log_ticks(getattr(axes, f"{counts}axis"))


def stripes(axes: Axes, n_rows: int) -> None:
    """Tint every other one of the rows 0, 1, .., which are one apart."""
    for place in range(0, n_rows, 2):
        axes.axhspan(place - 0.5, place + 0.5, color="0.5", alpha=0.08, lw=0, zorder=0)


def side_by_side(values: pd.Series, step: float, apart: float, width: float) -> pd.Series:
    """Offsets that move marks of equal values (rounded to `step`) beside each other, `apart` or closer, so
    that all lie within +-`width`."""
    equal = values.groupby((values / step).round())
    offsets = equal.cumcount() - (equal.transform("size") - 1) / 2
    return offsets * min(apart, width / max(offsets.max(), 1))


def visible(text: str) -> str:
    """A token's text with whitespace as visible marks, so that different tokens look different."""
    marked = "".join(VISIBLE.get(character, character) for character in text)
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in marked)


def set_labels(settings: Section) -> dict[str, str]:
    """Labels of all sets; labels of partly memorized sets name their exact matches."""
    n_continuation = settings.paragraph.continuation
    partly = {name: bins(n_continuation)[name] for name in PARTLY}
    return LABELS | {name: f"partly ({em.start}\u2013{em.stop - 1})" for name, em in partly.items()}


def plain_log_ticks(axis: Axis) -> None:
    """Ticks of a logarithmic axis at powers of ten, written out: 1, 10, .., 1,000."""
    axis.set_major_locator(LogLocator(base=10, numticks=6))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axis.set_minor_formatter(NullFormatter())


def panel_label(axes: Axes, letter: str, pad: float | None = None) -> None:
    """Bold letter at the upper left of a panel, `pad` points above it."""
    axes.set_title(letter, loc="left", fontweight="bold", pad=pad)


def panel_labels(panels: Iterable[Axes], pad: float | None = None) -> None:
    """Letters a, b, .. of panels, as `panel_label` has them."""
    for axes, letter in zip(panels, ascii_lowercase, strict=False):
        panel_label(axes, letter, pad)
