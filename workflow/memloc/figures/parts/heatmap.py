"""Maps of layers x components, all heads separately: one drawing for gradients, patching and ablation.

Layers run upwards from layer 0 at the bottom. A component is a group of columns above a bracket, one column
per head. A component without heads (MLP) is a single column with an upright name, so that 50 columns stay
readable on a page.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colorbar import Colorbar
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, ScalarFormatter
from matplotlib.transforms import ScaledTranslation, blended_transform_factory

from memloc.figures.parts.head_marks import diamond, name_heads, outline
from memloc.figures.parts.style import DIVERGING, SEQUENTIAL, panel_labels, subplots
from memloc.model.head_groups import stored_head

WEIGHTS = ("W_K", "W_Q", "W_V", "W_O", "W_in", "W_gate", "W_out")
ACTIVATIONS = ("k", "q", "v", "z", "pre", "post")
NO_HEAD = -1

HEAD_FONT, GROUP_FONT = 4.5, 6.0
LABEL_WIDTH = 6.0  # points: a two-digit head number, or an upright name
BRACKET_DROP, GROUP_DROP = 8.0, 9.5  # points from the map down to the bracket, and to its label
MAX_LAYER_LABELS = 13


def layer_matrix(frame: pd.DataFrame, value: str) -> pd.DataFrame:
    """Rows with layer, component, head and `value` as a matrix of layers x (component, head).

    Columns keep the order of `WEIGHTS` and `ACTIVATIONS`; head is -1 for components without heads.

    Raises:
        ValueError: the frame holds a layer, component and head twice.
    """
    matrix = frame.assign(head=frame["head"].fillna(NO_HEAD).astype(int)).pivot(
        index="layer", columns=["component", "head"], values=value
    )
    order = {name: place for place, name in enumerate(WEIGHTS + ACTIVATIONS)}
    columns = sorted(matrix.columns, key=lambda column: (order[column[0]], column[1]))
    return matrix[columns].sort_index()


def map_height(n_layers: int) -> float:
    """Height in inches of a panel that holds a map of `n_layers` layers and its labels."""
    return 0.62 + min(max(0.8, 0.115 * n_layers), 2.4)


def heat_map(
    axes: Axes,
    matrix: pd.DataFrame,
    *,
    diverging: bool = False,
    limit: float | None = None,
    highlight: tuple[int, int] | None = None,
    judged: tuple[int, int] | None = None,
) -> QuadMesh:
    """Draw a `layer_matrix` with its labels; returns the mesh, which `colour_bar` takes.

    Colours run from 0 to `limit`, or from -limit to +limit if diverging; without one, the limit is the
    largest absolute value. `highlight` is a (layer, head) to be outlined in every component, `judged` another
    one that gets a diamond: see `head_marks`.
    """
    values = matrix.to_numpy(dtype=float)
    if limit is None:
        limit = float(np.nanmax(np.abs(values)))
    # The layout will still move the axes, but this width is close enough to choose labels by.
    column_points = axes.get_position().width * axes.figure.get_figwidth() * 72 / matrix.shape[1]
    groups = _groups(matrix, column_points)
    right = groups[-1].start + groups[-1].width
    mesh = axes.pcolormesh(
        np.concatenate([*(group.column_starts for group in groups), [right]]),
        np.append(matrix.index, matrix.index[-1] + 1) - 0.5,
        values,
        cmap=DIVERGING if diverging else SEQUENTIAL,
        vmin=-limit if diverging else 0.0,
        vmax=limit,
    )
    axes.spines[:].set_visible(False)
    _label_components(axes, groups, column_points)
    label_layers(axes, matrix)
    if highlight is not None:
        for column in _columns(groups, highlight[1]):
            outline(axes, column, highlight[0] - 0.5)
    if judged is not None:
        for column in _columns(groups, judged[1]):
            diamond(axes, column + 0.5, judged[0])
    return mesh


def colour_bar(mesh: QuadMesh, axes: Axes, label: str, fraction: float = 0.3) -> Colorbar:
    """Colour bar at the right of `axes`, with a few short labels.

    It takes a `fraction` of their width. The default suits the narrow axes of bars; a map needs less.
    """
    bar = axes.figure.colorbar(mesh, ax=axes, label=label, aspect=12, fraction=fraction, pad=0.13 * fraction)
    bar.outline.set_visible(False)
    bar.locator = MaxNLocator(4)
    bar.formatter = ScalarFormatter()
    bar.formatter.set_powerlimits((-2, 3))
    bar.update_ticks()
    bar.ax.yaxis.get_offset_text().set(fontsize=HEAD_FONT + 0.5, horizontalalignment="left")
    return bar


def layer_bars(axes: Axes, values: pd.DataFrame, colours: Sequence[str], label: str) -> None:
    """Horizontal bars next to a map, whose axis of layers they share (`sharey`).

    `values` has a row per layer and a column per kind, whose name is its label in a legend. The bars of a
    layer lie below each other.
    """
    height = 0.8 / values.shape[1]
    for place, (kind, colour) in enumerate(zip(values, colours, strict=True)):
        offset = ((values.shape[1] - 1) / 2 - place) * height
        axes.barh(values.index + offset, values[kind], height, color=colour, label=kind)
    axes.set_xlim(left=0)
    axes.set_xlabel(label)
    axes.xaxis.set_major_locator(MaxNLocator(2))
    axes.xaxis.set_major_formatter("{x:g}")
    axes.tick_params(axis="y", left=False, labelleft=False)
    axes.spines["left"].set_visible(False)


class MapPanel(NamedTuple):
    """A `layer_matrix` under its title, and bars beside it: a row per layer, a column per kind."""

    matrix: pd.DataFrame
    bars: pd.DataFrame
    colours: Sequence[str]
    title: str
    title_colour: str


def maps_with_bars(panels: Sequence[MapPanel], highlight: tuple[int, int], labels: tuple[str, str]) -> Figure:
    """Maps below each other, each with its own colours; `labels` name the colours and the bars."""
    size = {"nrows": len(panels), "ncols": 2, "squeeze": False}
    height = len(panels) * (map_height(len(panels[0].matrix)) + 0.1)
    figure, axes = subplots(height, **size, width_ratios=(8, 1), sharey=True)
    for (left, right), panel in zip(axes, panels, strict=True):
        mesh = heat_map(left, panel.matrix, highlight=highlight)
        layer_bars(right, panel.bars, panel.colours, labels[1])
        colour_bar(mesh, right, labels[0])
        left.set_title(panel.title, color=panel.title_colour)
    panel_labels(axes[:, 0])
    if panels[0].bars.shape[1] > 1:
        axes[0, 1].legend(loc="lower center", bbox_to_anchor=(0.5, 1), borderaxespad=0.2, handlelength=1)
    name_heads(figure, highlight)
    return figure


def mark_signs(axes: Axes, low: pd.DataFrame, high: pd.DataFrame) -> None:
    """Mark the heads of a map whose intervals exclude 0: triangles point up above it and down below it."""
    style = {"s": 9, "color": "black", "edgecolor": "white", "linewidth": 0.5, "zorder": 4}
    for cells, marker in ((low > 0, "^"), (high < 0, "v")):
        row, column = np.nonzero(cells.to_numpy())
        axes.scatter(column + 0.5, cells.index[row], marker=marker, **style)


class _Group(NamedTuple):
    """The columns of one component; `n_heads` is 0 where it has no heads and a single column."""

    name: str
    start: float
    width: float
    n_heads: int

    @property
    def column_starts(self) -> np.ndarray:
        """Left edge of every column."""
        return self.start + np.arange(self.n_heads or 1)


def _groups(matrix: pd.DataFrame, column_points: float) -> list[_Group]:
    """Components from left to right. A head's column has width 1, others are at least as wide as a name."""
    names, heads = (matrix.columns.get_level_values(level) for level in (0, 1))
    groups, start = [], 0.0
    for name in names.unique():
        n_heads = int(((names == name) & (heads != NO_HEAD)).sum())
        width = n_heads or max(1.0, LABEL_WIDTH / column_points)
        groups.append(_Group(name, start, width, n_heads))
        start += width
    return groups


def _label_components(axes: Axes, groups: list[_Group], column_points: float) -> None:
    """Head numbers under the columns, a bracket with the name under each component, gaps between them."""
    step = math.ceil(LABEL_WIDTH / column_points)
    with_heads = [group for group in groups if group.n_heads]
    heads = [
        (group.column_starts[head] + 0.5, head)
        for group in with_heads
        for head in range(0, group.n_heads, step)
    ]
    for group in groups:
        axes.axvline(group.start, color="white", lw=1.4 if group.start else 0)
        if group.n_heads:
            _bracket(axes, group)
        else:
            _upright_name(axes, group)
    axes.set_xlim(0, groups[-1].start + groups[-1].width)
    axes.xaxis.remove_overlapping_locs = False  # a name may be centred above a head's number
    axes.set_xticks([place for place, _ in heads], [head for _, head in heads], minor=True)
    axes.set_xticks([group.start + group.width / 2 for group in with_heads], [g.name for g in with_heads])
    axes.tick_params(axis="x", which="minor", length=0, pad=1.5, labelsize=HEAD_FONT)
    axes.tick_params(axis="x", which="major", length=0, pad=GROUP_DROP, labelsize=GROUP_FONT)


def _upright_name(axes: Axes, group: _Group) -> None:
    where = {"xycoords": axes.get_xaxis_transform(), "textcoords": "offset points"}
    style = {"rotation": 90, "ha": "center", "va": "top", "fontsize": GROUP_FONT - 0.5}
    axes.annotate(group.name, (group.start + group.width / 2, 0), (0, -2), **where, **style)


def _bracket(axes: Axes, group: _Group) -> None:
    drop = ScaledTranslation(0, -BRACKET_DROP / 72, axes.figure.dpi_scale_trans)
    across = blended_transform_factory(axes.transData, axes.transAxes) + drop
    ends = [group.start + 0.15, group.start + group.width - 0.15]
    axes.plot(ends, [0, 0], transform=across, color="0.3", lw=0.6, clip_on=False)


def label_layers(axes: Axes, matrix: pd.DataFrame) -> None:
    """Numbers of the layers (rows) of a map, upwards."""
    step = math.ceil(len(matrix) / MAX_LAYER_LABELS)
    axes.set_yticks(matrix.index[::step])
    axes.set_ylim(matrix.index[0] - 0.5, matrix.index[-1] + 0.5)
    axes.tick_params(axis="y", length=0)
    axes.set_ylabel("layer")


def _columns(groups: list[_Group], head: int) -> list[float]:
    """Left edges of a query head, and in grouped-query models of the key-value head that it shares."""
    n_heads = max(group.n_heads for group in groups)
    with_heads = [group for group in groups if group.n_heads]
    return [group.column_starts[stored_head(head, group.n_heads, n_heads)] for group in with_heads]
