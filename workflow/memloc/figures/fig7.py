"""Figure 7: attention to tokens by their rarity, for every head of a layer (paper 6.3).

Above is the paper's measure, attention summed over paragraphs. It falls with the rank for any head, since
few paragraphs have a token of a high rank. Below is the mean attention per occurrence of a rank, which need
not fall. Both are compared with a null in which the tokens of a prefix exchange their attention at random.
"""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from memloc.figures.parts.heatmap import name_head, outline
from memloc.figures.parts.style import PAGE_WIDTH, Drawing, panel_labels, subplots
from memloc.localization.highlight import highlighted_head
from memloc.settings.base import Section

MEASURES = {  # columns of their correlations, labels
    "attention_sum": ("pearson", "summed over paragraphs"),
    "attention_mean": ("pearson_mean", "mean per occurrence"),
}
NULL_COLOUR, OTHERS = "0.75", "#5b8db8"


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """Attention by rank (left) and its Pearson correlation with the rank (right), sums above, means below."""
    layer, head = highlighted_head(tables, settings)
    correlation = tables["rare_token_correlation"].query("layer == @layer").set_index("head")
    by_rank = tables["rare_tokens"].query("layer == @layer")
    # The null of the sum is that of the mean times the occurrences, which permutations do not change.
    sums = by_rank.filter(like="_null_").mul(by_rank["occurrences"], axis=0)
    by_rank = by_rank.join(sums.rename(columns=lambda name: name.replace("_mean", "_sum")))
    colours = dict.fromkeys(correlation.index, OTHERS) | {head: "black"}
    height = max(4.0, 2 * (0.8 + 0.11 * len(correlation)))
    figure, axes = subplots(height, PAGE_WIDTH * 0.9, nrows=2, ncols=2, width_ratios=(2, 1))
    for (left, right), (measure, (name, label)) in zip(axes, MEASURES.items(), strict=True):
        _draw_ranks(left, by_rank, measure, colours, head)
        left.set_ylabel(f"attention,\n{label}")
        _draw_correlations(right, correlation, name, colours)
        outline(right, -1.05, head - 0.5, width=2.1)
    axes[0, 0].legend(loc="upper right")
    name_head(figure, (layer, head))
    panel_labels(axes.flat)
    data = by_rank.merge(correlation.filter(regex="^pearson"), left_on="head", right_index=True)
    return Drawing(figure, data, _numbers(correlation, layer, head) | {"chosen": not settings.highlight})


def _draw_ranks(axes: Axes, by_rank: pd.DataFrame, measure: str, colours: dict, marked: int) -> None:
    own = by_rank[by_rank["head"] == marked]
    low, high = (own[f"{measure}_null_q{q}"] for q in ("025", "975"))
    axes.fill_between(own["rank"], low, high, color=NULL_COLOUR, lw=0, label="permuted (95 %)")
    for head, rows in by_rank.groupby("head"):
        style = {"lw": 1.2, "zorder": 3} if head == marked else {"lw": 0.7}
        axes.plot(rows["rank"], rows[measure], color=colours[head], **style)
    axes.set(xlabel="rank of the token (0 = rarest)", xlim=(0, None))
    axes.set_ylim(0, 1.1 * by_rank[measure].max())  # the null of rare ranks may leave the panel


def _draw_correlations(axes: Axes, correlation: pd.DataFrame, name: str, colours: dict) -> None:
    """A row per head: the interval of its null as a bar, its correlation as a dot and as a number."""
    low, high = (correlation[f"{name}_null_q{q}"] for q in ("025", "975"))
    axes.barh(correlation.index, high - low, left=low, height=0.6, color=NULL_COLOUR)
    axes.scatter(correlation[name], correlation.index, s=14, c=[colours[head] for head in correlation.index])
    for head, value in correlation[name].items():
        figures = f"{value:.2f}".replace("-", "\u2212")
        axes.text(1.02, head, figures, transform=axes.get_yaxis_transform(), va="center", fontsize=6)
    axes.axvline(0, color="black", lw=0.5, zorder=0)
    axes.set(xlim=(-1.05, 1.05), ylim=(len(correlation) - 0.5, -0.5), yticks=correlation.index)
    axes.set(xlabel="Pearson correlation with the rank", ylabel="head")


def _numbers(in_layer: pd.DataFrame, layer: int, head: int) -> dict[str, Any]:
    means = in_layer["pearson_mean"]
    return {
        "layer": layer,
        "head": head,
        "n_heads": len(in_layer),
        **{name: int(in_layer[name].iloc[0]) for name in ("n_paragraphs", "n_permutations")},
        "value": float(means[head]),
        "place": 1 + int((means < means[head]).sum()),
        "n_below": int((means < in_layer["pearson_mean_null_q025"]).sum()),
    }
