"""Figure 2: exact match and NLL of every paragraph, and the two sets that they separate (paper 3.2)."""

import numpy as np
import pandas as pd

from memloc.figures.style import COLOURS, LABELS, Drawing, plain_log_ticks, subplots

ORDER = ("unassigned", "non_memorized", "partly_11_29", "partly_30_49", "memorized")
JITTER = 0.35


def draw(tables: dict[str, pd.DataFrame], settings: dict) -> Drawing:
    """Scatter of EM (tokens) against NLL (nats per token), one dot per paragraph, with both marginals."""
    data = tables["scores"].merge(tables["sets"][["id", "set"]], on="id")[["id", "set", "em", "nll"]]
    figure, axes = subplots(
        3.4, 3.0, nrows=2, ncols=2, width_ratios=(4, 1), height_ratios=(1, 4), sharex="col", sharey="row"
    )
    top, main, side = axes[0, 0], axes[1, 0], axes[1, 1]
    axes[0, 1].axis("off")
    jitter = np.random.default_rng(0).uniform(-JITTER, JITTER, len(data))  # EM is whole: spread equal ones
    for name in ORDER:
        rows = (data["set"] == name).to_numpy()
        if not rows.any():
            continue
        style = {"color": COLOURS[name], "label": f"{LABELS[name]}, {rows.sum():,}"}
        main.scatter(data.nll[rows], data.em[rows] + jitter[rows], s=2.5, alpha=0.35, linewidths=0, **style)
    _histogram(top, data, "nll", np.linspace(0, data.nll.max(), 60), "vertical")
    _histogram(side, data, "em", np.arange(-0.5, data.em.max() + 1), "horizontal")
    main.set(xlabel="NLL (nats per token)", ylabel="exact match (tokens)", xlim=(0, None))
    legend = main.legend(loc="center right", markerscale=3, handletextpad=0.2)
    for handle in legend.legend_handles:
        handle.set_alpha(1)
    return Drawing(figure, data, _numbers(data))


def _histogram(axes, data: pd.DataFrame, column: str, bins: np.ndarray, orientation: str) -> None:
    names = [name for name in ORDER if (data["set"] == name).any()]
    values = [data.loc[data["set"] == name, column] for name in names]
    colours = [COLOURS[name] for name in names]
    axes.hist(values, bins, stacked=True, color=colours, orientation=orientation, log=True)
    if orientation == "vertical":
        axes.set_ylabel("paragraphs")
        axes.set_ylim(bottom=0.7)
        plain_log_ticks(axes.yaxis)
    else:
        axes.set_xlabel("paragraphs")
        axes.set_xlim(left=0.7)
        plain_log_ticks(axes.xaxis)
        axes.tick_params(axis="x", rotation=90)


def _numbers(data: pd.DataFrame) -> dict:
    sizes = data["set"].value_counts()
    medians = data.groupby("set").nll.median()
    return {
        "n_paragraphs": len(data),
        "sizes": {name: int(sizes.get(name, 0)) for name in ORDER},
        "nll_memorized": float(medians["memorized"]),
        "nll_non_memorized": float(medians["non_memorized"]),
    }
