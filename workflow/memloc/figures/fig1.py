"""Figure 1: the study at a glance: its sets, and where the methods point (paper, Figure 1)."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from memloc.figures.parts.heatmap import cells, name_head, outline
from memloc.figures.parts.methods import method_label, named_heads
from memloc.figures.parts.style import COLOURS, LABELS, PAGE_WIDTH, Drawing
from memloc.localization.highlight import highlighted_head
from memloc.settings.base import Section
from memloc.tables.terms.head_ranking import COMBINED

SETS = ("memorized", "non_memorized", "perturbed")
USES = {
    "parameter_gradient": ("memorized",),
    "activation_gradient": ("memorized",),
    "rare_tokens": ("memorized", "non_memorized"),
    "patching": ("memorized", "perturbed"),
}
LAYOUT = [
    ["sets", "parameter_gradient", "activation_gradient", "combined"],
    ["sets", "rare_tokens", "patching", "combined"],
]


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """Sizes of the sets; layers x heads by the share of heads that rank lower, by each method and by all."""
    ranking, head = tables["head_ranking"], highlighted_head(tables, settings)
    sizes = tables["sets"]["set"].value_counts()
    sizes["perturbed"] = len(tables["perturbed_paragraphs"])
    n_heads = len(ranking) // ranking["method"].nunique()
    strength = ranking.assign(strength=(n_heads - ranking["rank"]) / max(n_heads - 1, 1))

    figure, panels = plt.subplot_mosaic(LAYOUT, figsize=(PAGE_WIDTH, 3.0), width_ratios=(1.1, 1, 1, 1.5))
    _draw_sets(panels["sets"], sizes)
    for method, sets in {**USES, "combined": ()}.items():
        axes, rows = panels[method], strength[strength["method"] == method]
        mesh = cells(axes, rows.pivot(index="layer", columns="head", values="strength"), limit=1.0)
        outline(axes, head[1] - 0.5, head[0] - 0.5)
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_locator(MaxNLocator(6, integer=True))
        _name(axes, method_label(method), sets)
    for method in ("rare_tokens", "patching", "combined"):
        panels[method].set_xlabel("head")
    for method in ("parameter_gradient", "rare_tokens", "combined"):
        panels[method].set_ylabel("layer")
    maps = [panels[method] for method in (*USES, "combined")]
    style = {"location": "bottom", "shrink": 0.6, "aspect": 50, "ticks": (0, 0.5, 1)}
    figure.colorbar(mesh, ax=maps, **style, label="share of the other heads that rank lower")
    name_head(figure, head)
    return Drawing(figure, *_told(ranking, head, n_heads))


def _draw_sets(axes: Axes, sizes: pd.Series) -> None:
    counts = [int(sizes.get(name, 0)) for name in SETS]
    bars = axes.barh(range(len(SETS)), counts, 0.5, color=[COLOURS[name] for name in SETS])
    axes.bar_label(bars, [f"{count:,}" for count in counts], padding=2)
    axes.set_yticks(range(len(SETS)), [LABELS[name].replace(" ", "\n") for name in SETS])
    for tick, name in zip(axes.get_yticklabels(), SETS, strict=True):
        tick.set_color(COLOURS[name])
    axes.set(ylim=(len(SETS) - 0.5, -0.5), xlabel="paragraphs")
    axes.margins(x=0.3)
    axes.set_xticks([])
    axes.spines["bottom"].set_visible(False)
    axes.tick_params(axis="y", length=0)


def _name(axes: Axes, name: str, sets: tuple[str, ...]) -> None:
    """The method's name above its map, after a square for each set that it reads."""
    pieces = [("\u25a0", COLOURS[each]) for each in sets] + [(name, "black")]
    for place, (text, colour) in enumerate(pieces):
        offset = {"xytext": (8 * place, 4), "textcoords": "offset points"}
        axes.annotate(text, (0, 1), xycoords="axes fraction", fontsize=7, color=colour, **offset)


def _told(ranking: pd.DataFrame, highlight: tuple[int, int], n_heads: int) -> tuple[pd.DataFrame, dict]:
    """The first heads of each method with the rank of the highlighted one, and the numbers of the caption."""
    layer, head = highlight
    own = ranking[(ranking["layer"] == layer) & (ranking["head"] == head)].set_index("method")["rank"]
    data = ranking.loc[ranking["rank"] == 1, ["method", "layer", "head", "score"]].reset_index(drop=True)
    data["rank_of_highlighted"] = data["method"].map(own)
    first = {name: named_heads(data[data["method"] == name]) for name in USES}
    numbers = {
        "layer": layer,
        "head": head,
        "n_heads": n_heads,
        "lowest": named_heads(data[data["method"] == COMBINED]),
        "methods": {method_label(name): (first[name], int(own[name])) for name in USES},
    }
    return data, numbers
