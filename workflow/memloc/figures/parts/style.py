"""One look for all figures: colours of the sets, widths of a page, fonts, marks for invisible characters."""

from collections.abc import Iterable, Mapping
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
from matplotlib.figure import Figure  # noqa: E402
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter  # noqa: E402

from memloc.tables.terms.sets import PARTLY, bins  # noqa: E402

PAGE_WIDTH = 7.0  # inches

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
BY_EXACT_MATCH = ("non_memorized", *PARTLY, "memorized")
SEQUENTIAL = "viridis"
DIVERGING = "RdBu_r"
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")

VISIBLE = {"\n": "\u21b5", "\t": "\u21e5", "\r": "\u240d", " ": "\u2423"}

plt.rcParams |= {
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


Numbers = dict[str, Any]
"""The numbers of a caption, by their names in its template."""


@dataclass(frozen=True)
class Drawing:
    """A figure, its plotted `data`, the numbers of its caption, and its HTML page."""

    figure: Figure
    data: pd.DataFrame
    numbers: Numbers
    page: str | None = None


def of_panels(**panels: pd.DataFrame) -> pd.DataFrame:
    """The numbers of several panels, by their letters, in one frame; column `panel` says where they are."""
    return pd.concat(panels, names=["panel"]).reset_index("panel").reset_index(drop=True)


def subplots(height: float, width: float = PAGE_WIDTH, **options: Any) -> tuple[Figure, Any]:
    """Figure and axes; height and width in inches."""
    return plt.subplots(figsize=(width, height), **options)


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


def dots(
    axes: Axes,
    found: pd.DataFrame,
    row: str,
    labels: Mapping[Any, str],
    group: str,
    looks: Mapping[str, tuple[str, str, str]],
    faint: pd.DataFrame | None = None,
) -> None:
    """Draw values with intervals (value, low, high) in rows from top to bottom, and faint single values.

    Column `row` says in which row of `labels` a value is, column `group` which label, colour and marker of
    `looks` it has. The groups of a row lie below each other.
    """
    apart = min(0.3, 0.75 / len(looks))
    for number, (name, (label, colour, marker)) in enumerate(looks.items()):
        places = np.arange(len(labels)) + apart * (number - (len(looks) - 1) / 2)
        at = dict(zip(labels, places, strict=True))
        own = found[(found[group] == name) & found[row].isin(at)]
        axes.hlines(own[row].map(at), own["low"], own["high"], color=colour, lw=0.8)
        style = {"ls": "", "marker": marker, "ms": 3.4, "mew": 0, "color": colour, "label": label}
        axes.plot(own["value"], own[row].map(at), **style, zorder=3)
        if faint is not None:
            own = faint[(faint[group] == name) & faint[row].isin(at)]
            axes.scatter(own["value"], own[row].map(at), s=3, color=colour, alpha=0.25, linewidth=0)
    for place in range(0, len(labels), 2):
        axes.axhspan(place - 0.5, place + 0.5, color="0.5", alpha=0.08, lw=0, zorder=0)
    axes.set_yticks(range(len(labels)), labels.values())
    axes.set_ylim(max(len(labels), 1) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)


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
    em = bins(settings.paragraph.continuation)
    return LABELS | {name: f"partly ({em[name].start}\u2013{em[name].stop - 1})" for name in PARTLY}


def plain_log_ticks(axis: Axis) -> None:
    """Ticks of a logarithmic axis at powers of ten, written out: 1, 10, .., 1,000."""
    axis.set_major_locator(LogLocator(base=10, numticks=6))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axis.set_minor_formatter(NullFormatter())


def panel_labels(panels: Iterable[Axes], pad: float | None = None) -> None:
    """Bold letters a, b, .. at the upper left of panels, `pad` points above them."""
    for axes, letter in zip(panels, ascii_lowercase, strict=False):
        axes.set_title(letter, loc="left", fontweight="bold", pad=pad)
