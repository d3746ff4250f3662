"""Where each localization method points in each model: its heads, and its layers by relative depth."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.ticker import MaxNLocator

from memloc.figures.parts.across import head_strength, layer_profiles, looks
from memloc.figures.parts.methods import method_label, methods_of
from memloc.figures.parts.style import PAGE_WIDTH, SEQUENTIAL, Drawing, subplots
from memloc.settings.base import Section

ROW_HEIGHT = 0.85  # inches


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """Rows: methods. Columns: models, as maps of layers (upwards) x heads; right, layers of all models."""
    ranking, styles = tables["head_ranking"], looks(tables["models"])
    methods = methods_of(ranking)
    strength, profiles = head_strength(ranking), layer_profiles(ranking)
    figure, grid = subplots(
        PAGE_WIDTH,
        ROW_HEIGHT * len(methods) + 0.7,
        nrows=len(methods),
        ncols=len(styles) + 1,
        squeeze=False,
        width_ratios=[1] * len(styles) + [1.3],
    )
    for axes, method in zip(grid, methods, strict=True):
        for panel, model in zip(axes, styles, strict=False):
            _draw_heads(panel, strength[(strength["model"] == model) & (strength["method"] == method)])
        _draw_layers(axes[-1], profiles[profiles["method"] == method], styles)
        axes[0].set_ylabel(method_label(method).replace(" ", "\n", 1) + "\n(layer)")
    _label_columns(grid, styles)
    colours = ScalarMappable(cmap=SEQUENTIAL)
    label = "share of the model's other heads that rank lower"
    figure.colorbar(colours, ax=grid[:, :-1], location="bottom", shrink=0.6, aspect=40, label=label)
    figure.legend(*grid[0, -1].get_legend_handles_labels(), loc="outside upper right", ncols=len(styles))
    return Drawing(figure, profiles, _numbers(tables["models"], profiles, methods))


def _draw_heads(axes: Axes, rows: pd.DataFrame) -> None:
    matrix = rows.pivot(index="layer", columns="head", values="strength")
    options = {"cmap": SEQUENTIAL, "vmin": 0, "vmax": 1, "interpolation": "none", "origin": "lower"}
    axes.imshow(matrix, aspect="auto", **options)
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.tick_params(length=0)


def _draw_layers(axes: Axes, profiles: pd.DataFrame, styles: dict[str, dict[str, Any]]) -> None:
    axes.axhline(0.5, color="0.8", lw=0.6)
    for model, style in styles.items():
        rows = profiles[profiles["model"] == model]
        axes.plot(rows["depth"], rows["strength"], **style)
    axes.set(xlim=(0, 1), ylim=(-0.03, 1.03), yticks=(0, 0.5, 1))


def _label_columns(grid: Any, styles: dict[str, dict[str, Any]]) -> None:
    for axes, model in zip(grid[0], styles, strict=False):
        axes.set_title(model)
    grid[0, -1].set_title("layer means")
    for axes in grid[-1, :-1]:
        axes.set_xlabel("head")
    grid[-1, -1].set_xlabel("relative depth")
    for axes in grid[:-1].flat:
        axes.tick_params(labelbottom=False)


def _numbers(models: pd.DataFrame, profiles: pd.DataFrame, methods: list[str]) -> dict[str, Any]:
    """The strongest layer of every method and model, and in how many models it lies in the lower half."""
    strongest = profiles.loc[profiles.groupby(["method", "model"])["strength"].idxmax()]
    strongest = strongest.set_index(["method", "model"])
    return {
        "models": models[["model", "n_layers", "n_heads"]].to_dict("records"),
        "strongest": {
            method_label(method): strongest.loc[method, "layer"].loc[models["model"]].to_dict()
            for method in methods
        },
        "n_lower": {
            method_label(method): int((strongest.loc[method, "depth"] < 0.5).sum()) for method in methods
        },
    }
