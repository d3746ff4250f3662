"""Maps of layers x components, all heads separately, for gradients, patching and ablation; marks of heads.

Layers run upwards from layer 0 at the bottom. A component is a group of columns above a bracket, one column
per head. A component without heads (MLP) is a single column with an upright name.
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colorbar import Colorbar
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle
from matplotlib.patheffects import withStroke
from matplotlib.ticker import MaxNLocator, ScalarFormatter
from matplotlib.transforms import offset_copy

from memloc.figures.parts.style import DIVERGING, SEQUENTIAL, panel_labels, subplots
from memloc.model.head_groups import stored_head

WEIGHTS = ("W_K", "W_Q", "W_V", "W_O", "W_in", "W_gate", "W_out")
ACTIVATIONS = ("k", "q", "v", "z", "pre", "post")
NO_HEAD = -1

HEAD_FONT, GROUP_FONT = 4.5, 6.0
LABEL_WIDTH = 6.0  # points: a two-digit head number, or an upright name
BRACKET_DROP, GROUP_DROP = 8.0, 9.5  # points from the map down to the bracket, and to its label
MAX_LAYER_LABELS = 13
HALO = withStroke(linewidth=2, foreground="white")
OUTLINE = {"fill": False, "ec": "black", "lw": 0.8, "path_effects": [HALO]}  # of the head of interest


def layer_matrix(frame: pd.DataFrame, value: str) -> pd.DataFrame:
    """Rows with layer, component, head and `value` as a matrix of layers x (component, head).

    Columns keep the order of `WEIGHTS` and `ACTIVATIONS`; head is -1 for components without heads.

    Raises:
        ValueError: the frame holds a layer, component and head twice.
    """
    frame = frame.assign(head=frame["head"].fillna(NO_HEAD).astype(int))
    matrix = frame.pivot(index="layer", columns=["component", "head"], values=value)
    order = {name: place for place, name in enumerate(WEIGHTS + ACTIVATIONS)}
    columns = sorted(matrix.columns, key=lambda column: (order[column[0]], column[1]))
    return matrix[columns].sort_index()


def map_height(n_layers: int) -> float:
    """Height in inches of a panel that holds a map of `n_layers` layers and its labels."""
    return 0.62 + min(max(0.8, 0.115 * n_layers), 2.4)


def cells(
    axes: Axes,
    values: pd.DataFrame,
    edges: Sequence[float] | None = None,
    *,
    diverging: bool = False,
    limit: float | None = None,
) -> QuadMesh:
    """Draw a frame's rows as rows of cells, at its index; without `edges`, columns lie at 0, 1, ..

    Colours run from 0 to `limit`, or from -limit to +limit if diverging; without one, the limit is the
    largest absolute value. Returns the mesh, which `colour_bar` takes.
    """
    found = np.ma.masked_invalid(values.to_numpy(dtype=float))
    limit = np.abs(found).max() if limit is None else limit
    edges = np.arange(values.shape[1] + 1) - 0.5 if edges is None else edges
    rows = np.append(values.index, values.index[-1] + 1) - 0.5
    colours = {"cmap": DIVERGING, "vmin": -limit} if diverging else {"cmap": SEQUENTIAL, "vmin": 0.0}
    mesh = axes.pcolormesh(edges, rows, found, **colours, vmax=limit)
    axes.spines[:].set_visible(False)
    axes.tick_params(which="both", length=0)
    return mesh


def heat_map(
    axes: Axes,
    matrix: pd.DataFrame,
    *,
    highlight: tuple[int, int] | None = None,
    **colours: Any,
) -> QuadMesh:
    """Draw a `layer_matrix` with its labels; colours and the returned mesh are those of `cells`.

    `highlight` is a (layer, head) to be outlined in every component.
    """
    names, heads = (matrix.columns.get_level_values(level) for level in (0, 1))
    # The layout will still move the axes, but this width is close enough to choose labels by.
    column_points = axes.get_position().width * axes.figure.get_figwidth() * 72 / len(names)
    step = LABEL_WIDTH / column_points  # columns below a label
    edges = np.append(0.0, np.cumsum(np.where(heads == NO_HEAD, max(1.0, step), 1.0)))
    mesh = cells(axes, matrix, edges, **colours)
    axes.set_yticks(matrix.index[:: math.ceil(len(matrix) / MAX_LAYER_LABELS)])
    axes.set_ylim(matrix.index[0] - 0.5, matrix.index[-1] + 0.5)
    axes.set_ylabel("layer")
    axes.set_xlim(0, edges[-1])

    shown = (heads == NO_HEAD) | (heads % math.ceil(step) == 0)
    labels = np.where(heads == NO_HEAD, names, heads.astype(str))[shown]
    axes.set_xticks(((edges[:-1] + edges[1:]) / 2)[shown], labels, minor=True)
    axes.tick_params(axis="x", which="minor", pad=1.5, labelsize=HEAD_FONT)
    for label in axes.get_xticklabels(minor=True):
        if not label.get_text().isdigit():
            label.set(rotation=90, fontsize=GROUP_FONT - 0.5)

    below = offset_copy(axes.get_xaxis_transform(), axes.figure, y=-BRACKET_DROP, units="points")
    n_heads, groups = heads.max() + 1, {}
    for name in names.unique():
        (columns,) = np.nonzero(names == name)
        start, end = edges[columns[0]], edges[columns[-1] + 1]
        axes.axvline(start, color="white", lw=1.4 if start else 0)
        if heads[columns[0]] == NO_HEAD:
            continue
        axes.plot([start + 0.15, end - 0.15], [0, 0], transform=below, color="0.3", lw=0.6, clip_on=False)
        groups[name] = (start + end) / 2
        # In grouped-query models, the key-value head that a query head shares.
        if highlight is not None:
            outline(axes, start + stored_head(highlight[1], len(columns), n_heads), highlight[0] - 0.5)
    axes.xaxis.remove_overlapping_locs = False  # a name may be centred above a head's number
    axes.set_xticks([*groups.values()], [*groups])
    axes.tick_params(axis="x", which="major", pad=GROUP_DROP, labelsize=GROUP_FONT)
    return mesh


def colour_bar(mesh: QuadMesh, axes: Axes, label: str, fraction: float = 0.3) -> Colorbar:
    """Colour bar at the right of `axes`, with a few short labels. It takes a `fraction` of their width; the
    default suits the narrow axes of bars."""
    bar = axes.figure.colorbar(mesh, ax=axes, label=label, aspect=12, fraction=fraction, pad=0.13 * fraction)
    bar.outline.set_visible(False)
    bar.locator = MaxNLocator(4)
    bar.formatter = ScalarFormatter()
    bar.formatter.set_powerlimits((-3, 3))
    bar.update_ticks()
    bar.ax.yaxis.get_offset_text().set(fontsize=HEAD_FONT + 0.5, horizontalalignment="left")
    return bar


class MapPanel(NamedTuple):
    """A `layer_matrix` under its title, and bars beside it: a row per layer, a column per kind."""

    matrix: pd.DataFrame
    bars: pd.DataFrame
    colours: Sequence[str]
    title: str
    title_colour: str


def maps_with_bars(panels: Sequence[MapPanel], highlight: tuple[int, int], labels: tuple[str, str]) -> Figure:
    """Maps below each other, each with its own colours, and horizontal bars beside every layer, those of a
    layer below each other; `labels` name the colours and the bars."""
    size = {"nrows": len(panels), "ncols": 2, "squeeze": False}
    height = len(panels) * (map_height(len(panels[0].matrix)) + 0.1)
    figure, axes = subplots(height, **size, width_ratios=(8, 1), sharey=True)
    for (left, right), panel in zip(axes, panels, strict=True):
        mesh = heat_map(left, panel.matrix, highlight=highlight)
        left.set_title(panel.title, color=panel.title_colour)
        n_kinds = panel.bars.shape[1]
        for place, (kind, colour) in enumerate(zip(panel.bars, panel.colours, strict=True)):
            at = panel.bars.index + ((n_kinds - 1) / 2 - place) * 0.8 / n_kinds
            right.barh(at, panel.bars[kind], 0.8 / n_kinds, color=colour, label=kind)
        right.set(xlim=(0, None), xlabel=labels[1])
        right.xaxis.set_major_locator(MaxNLocator(2))
        right.xaxis.set_major_formatter("{x:g}")
        right.tick_params(axis="y", left=False, labelleft=False)
        right.spines["left"].set_visible(False)
        colour_bar(mesh, right, labels[0])
    panel_labels(axes[:, 0])
    if n_kinds > 1:
        axes[0, 1].legend(loc="lower center", bbox_to_anchor=(0.5, 1), borderaxespad=0.2, handlelength=1)
    name_head(figure, highlight)
    return figure


def mark_signs(axes: Axes, low: pd.DataFrame, high: pd.DataFrame) -> None:
    """Mark the heads of a map whose intervals exclude 0: triangles point up above it and down below it."""
    style = {"s": 9, "color": "black", "edgecolor": "white", "linewidth": 0.5, "zorder": 4}
    for cells, marker in ((low > 0, "^"), (high < 0, "v")):
        row, column = np.nonzero(cells.to_numpy())
        axes.scatter(column + 0.5, cells.index[row], marker=marker, **style)


def outline(axes: Axes, x: float, y: float, width: float = 1) -> None:
    """Outline the head of interest, from its lower left corner on."""
    axes.add_patch(Rectangle((x, y), width, 1, **OUTLINE, clip_on=False, zorder=3))


def name_head(figure: Figure, head: tuple[int, int]) -> None:
    """Add a line to a figure that names the head of interest (layer, head)."""
    mark = Patch(**OUTLINE, label=f"head of interest: {head[1]} of layer {head[0]}")
    figure.set_figheight(figure.get_figheight() + 0.2)
    figure.legend(handles=[mark], loc="outside lower left", handlelength=1.2)
