"""Claims and rankings of heads over seeds of sampling (not in the paper)."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from memloc.figures.parts.methods import method_label
from memloc.figures.parts.style import SEQUENTIAL, Drawing, panel_labels, subplots
from memloc.figures.parts.verdict_marks import draw_grid, draw_legend, survival, survival_numbers
from memloc.settings.base import Section

SHOWN_HEADS = 12  # columns of panel b: heads that rank first most often


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """a: verdict on every claim with each seed. b: how often each head ranks first, by method."""
    claims, ranking = tables["claims"], tables["head_ranking"]
    seeds = list(dict.fromkeys(claims["seed"]))
    firsts = first_ranks(ranking)
    height = max(0.125 * claims["id"].nunique() + 0.8, 2.6)
    figure, (left, right) = subplots(height, ncols=2, width_ratios=(len(seeds) + 1, 8))
    spread = survival(claims, "seed")
    draw_grid(left, claims, spread, "seed", seeds)
    left.set_xlabel("seed")
    draw_legend(left, "outside upper left")
    _draw_firsts(right, firsts, len(seeds))
    panel_labels((left, right))
    data = pd.concat([spread.assign(panel="a"), firsts.assign(panel="b")], ignore_index=True)
    return Drawing(figure, data, survival_numbers(spread, len(seeds)) | _numbers(firsts, len(seeds)))


def first_ranks(ranking: pd.DataFrame) -> pd.DataFrame:
    """How many seeds rank each head first (heads with any such seed): method, layer, head, n_first."""
    first = ranking[ranking["rank"] == 1]
    counts = first.groupby(["method", "layer", "head"], sort=False, observed=True)["seed"].nunique()
    return counts.rename("n_first").reset_index()


def _draw_firsts(axes: Axes, firsts: pd.DataFrame, n_seeds: int) -> None:
    names = [f"L{row.layer}H{row.head}" for row in firsts.itertuples()]
    counts = firsts.assign(name=names).pivot_table(
        index="method", columns="name", values="n_first", sort=False, fill_value=0, observed=True
    )
    counts = counts[counts.sum().sort_values(ascending=False, kind="stable").index[:SHOWN_HEADS]]
    image = axes.imshow(counts, cmap=SEQUENTIAL, vmin=0, vmax=n_seeds, aspect="auto", interpolation="none")
    axes.figure.colorbar(
        image, ax=axes, label="seeds with this head first", pad=0.02, ticks=range(n_seeds + 1)
    )
    for (row, column), value in np.ndenumerate(counts.to_numpy(int)):
        colour = "black" if value > n_seeds / 2 else "white"
        axes.text(column, row, value or "", ha="center", va="center", fontsize=6, color=colour)
    axes.set_xticks(range(counts.shape[1]), counts.columns, rotation=90)
    axes.set_yticks(range(len(counts)), [method_label(method) for method in counts.index])
    axes.set_xlabel("layer (L) and head (H)")
    axes.tick_params(length=0)


def _numbers(firsts: pd.DataFrame, n_seeds: int) -> dict[str, int]:
    """Methods, and those of which all seeds have the same first head."""
    most = firsts.groupby("method", observed=True)["n_first"].max()
    return {"n_same": int((most == n_seeds).sum()), "n_methods": len(most)}
