"""Figure 1: the study at a glance, drawn from its own numbers (paper, Figure 1)."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch

from memloc.figures.parts.style import COLOURS, LABELS, METHOD_LABELS, PAGE_WIDTH, Drawing, subplots
from memloc.localization.highlight import highlighted_head
from memloc.settings.base import Section

WIDTH, HEIGHT = 100.0, 46.0  # drawing units
SETS_LEFT, METHODS_LEFT, HEAD_LEFT = 2.0, 33.0, 79.0
USES = {
    "parameter_gradient": ("memorized",),
    "activation_gradient": ("memorized",),
    "rare_tokens": ("memorized", "non_memorized"),
    "patching": ("memorized", "perturbed"),
}


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """Sets with their sizes, the methods that read them, and the head that each method ranks first."""
    sizes = tables["sets"]["set"].value_counts()
    sizes["perturbed"] = len(tables["perturbed_paragraphs"])
    ranking = tables["head_ranking"]
    layer, head = highlighted_head(tables, settings)
    first = ranking[ranking["rank"] == 1].set_index("method")[["layer", "head", "score"]]
    rank = ranking[(ranking["layer"] == layer) & (ranking["head"] == head)].set_index("method")["rank"]
    n_heads = int(ranking["rank"].max())

    figure, axes = subplots(PAGE_WIDTH, PAGE_WIDTH * HEIGHT / WIDTH, layout="none")
    axes.set_position((0, 0, 1, 1))
    axes.set(xlim=(0, WIDTH), ylim=(0, HEIGHT))
    axes.axis("off")
    heights = _draw_sets(axes, sizes)
    for place, (method, sets) in enumerate(USES.items()):
        y = 35.5 - 9.8 * place
        top_layer, top_head = first.loc[method, ["layer", "head"]].astype(int)
        text = f"{METHOD_LABELS[method]}\nfirst: layer {top_layer}, head {top_head}"
        _box(axes, METHODS_LEFT, y, 28, 6.6, text, "0.3")
        for name in sets:
            _arrow(axes, SETS_LEFT + 22, heights[name], METHODS_LEFT, y + 3.3, COLOURS[name])
        _arrow(axes, METHODS_LEFT + 28, y + 3.3, HEAD_LEFT, 22.0, "0.6", f"rank {rank[method]} of {n_heads}")
    _box(axes, HEAD_LEFT, 15.0, 19, 14, f"layer {layer}\nhead {head}", COLOURS["memorized"], size=10)
    chosen = "lowest mean rank\nof all methods" if settings.highlight == "auto" else "configured"
    axes.text(HEAD_LEFT + 9.5, 12.8, chosen, ha="center", va="top", fontsize=6, color="0.35")

    data = first.reset_index()
    data["rank_of_highlighted"] = data["method"].map(rank)
    numbers = {
        "sizes": {name: int(sizes.get(name, 0)) for name in ("memorized", "non_memorized", "perturbed")},
        "layer": layer,
        "head": head,
        "n_heads": n_heads,
        "ranks": {METHOD_LABELS[method]: int(rank[method]) for method in USES},
        "n_first": int(sum(rank[method] == 1 for method in USES)),
        "n_methods": len(USES),
    }
    return Drawing(figure, data, numbers)


def _draw_sets(axes: Axes, sizes: pd.Series) -> dict[str, float]:
    """Draw the boxes of the three sets; returns the height at which each box's arrows start."""
    heights = {}
    for place, name in enumerate(("memorized", "non_memorized", "perturbed")):
        y = 33.0 - 13.5 * place
        _box(axes, SETS_LEFT, y, 22, 8, f"{LABELS[name]}\n{sizes.get(name, 0):,} paragraphs", COLOURS[name])
        heights[name] = y + 4
    return heights


def _box(
    axes: Axes,
    left: float,
    bottom: float,
    width: float,
    height: float,
    text: str,
    colour: str,
    size: float = 7,
) -> None:
    shape = FancyBboxPatch(
        (left, bottom), width, height, "round,pad=0,rounding_size=1", fc="white", ec=colour
    )
    axes.add_patch(shape)
    axes.text(
        left + width / 2, bottom + height / 2, text, ha="center", va="center", fontsize=size, color=colour
    )


def _arrow(
    axes: Axes, left: float, low: float, right: float, high: float, colour: str, text: str | None = None
) -> None:
    style = {"arrowstyle": "-|>", "color": colour, "lw": 0.8, "shrinkA": 0, "shrinkB": 1}
    axes.annotate("", (right, high), (left, low), arrowprops=style)
    if text:
        middle = (left + 0.42 * (right - left), low + 0.42 * (high - low))
        background = {"fc": "white", "ec": "none", "pad": 0.8}
        axes.text(*middle, text, ha="center", va="center", fontsize=6, color="0.3", bbox=background)
