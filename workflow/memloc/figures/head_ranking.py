"""How far the localization methods agree on the order of the heads (extended)."""

import numpy as np
import pandas as pd
from jaxtyping import Float
from matplotlib.axes import Axes

from memloc.figures.parts.methods import method_label, methods_of
from memloc.figures.parts.style import DIVERGING, Drawing, subplots
from memloc.localization.head_ranking import exchanged_agreement, rank_agreement
from memloc.settings.base import Section
from memloc.statistics.uncertainty import TAILS, Interval
from memloc.tables.terms.head_ranking import COMBINED

Pair = tuple[str, str]


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """Kendall's tau of each pair of methods, beside that of layers alone.

    For the latter, the heads of each layer exchange their ranks at random.
    """
    ranking = tables["head_ranking"]
    methods = methods_of(ranking)
    observed = rank_agreement(ranking, methods)
    alone = exchanged_agreement(ranking, methods)
    figure, axes = subplots(2.6, width=3.0)
    _draw_agreement(axes, methods, observed, alone)
    single = [pair for pair in observed if COMBINED not in pair]
    orders = np.mean([alone[pair] for pair in single], axis=0)
    numbers = {
        "n_heads": len(ranking) // len(methods),
        "observed": float(np.mean([observed[pair] for pair in single])),
        "alone": Interval(orders.mean(), *np.quantile(orders, TAILS), len(orders)),
    }
    return Drawing(figure, ranking, numbers)


def _draw_agreement(
    axes: Axes,
    methods: list[str],
    observed: dict[Pair, float],
    alone: dict[Pair, Float[np.ndarray, "order"]],
) -> None:
    """The methods' agreement above the diagonal; below it, the mean with the heads of each layer exchanged.

    An arrow: what is observed lies above (up) or below (down) 95 % of the exchanges.
    """
    matrix = np.full((len(methods), len(methods)), np.nan)
    for pair, tau in observed.items():
        place, (low, high) = tuple(map(methods.index, pair)), np.quantile(alone[pair], TAILS)
        arrow = "\u2191" if tau > high else "\u2193" if tau < low else ""
        for cell, value, mark in ((place, tau, arrow), (place[::-1], alone[pair].mean(), "")):
            matrix[cell] = value
            text = f"{value:.2f}{mark}".replace("0.", ".").replace("-", "\u2212")
            style = {"ha": "center", "va": "center", "fontsize": 5}
            axes.text(*cell[::-1], text, **style, color="white" if abs(value) > 0.6 else "black")
    axes.set_facecolor("0.9")
    image = axes.imshow(matrix, cmap=DIVERGING, vmin=-1, vmax=1, interpolation="none")
    axes.figure.colorbar(image, ax=axes, label="Kendall's \u03c4", pad=0.02, fraction=0.046)
    labels = [method_label(method).replace(" ", "\n", 1) for method in methods]
    axes.set_xticks(range(len(methods)), labels, rotation=90)
    axes.set_yticks(range(len(methods)), labels)
    axes.plot([-0.5, len(methods) - 0.5], [-0.5, len(methods) - 0.5], color="black", lw=0.8)
    axes.set_title("above: observed", fontsize=6, loc="right")
    axes.set_ylabel("below: by layers alone", fontsize=6)
