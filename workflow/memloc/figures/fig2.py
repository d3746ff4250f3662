"""Figure 2: exact match and NLL of every paragraph, and the two sets that they separate (paper 3.2)."""

import numpy as np
import pandas as pd

from memloc.data.sets import trained_on
from memloc.figures.parts.memorized_fraction import said_of_unseen, unseen_recited
from memloc.figures.parts.style import BY_EXACT_MATCH, COLOURS, Drawing, counted_by_set, set_labels, subplots
from memloc.settings.base import Section
from memloc.tables.terms.sets import bins

JITTER = 0.35


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """Scatter of EM (tokens) against NLL (nats per token), one dot per paragraph, with both marginals."""
    sets = trained_on(tables["sets"])[["id", "set"]]
    data = tables["scores"].merge(sets, on="id")[["id", "set", "em", "nll"]]
    ratios = {"width_ratios": (4, 1), "height_ratios": (1.3, 4)}
    figure, axes = subplots(3.2, 3.4, nrows=2, ncols=2, sharex="col", sharey="row", **ratios)
    top, main, side = axes[0, 0], axes[1, 0], axes[1, 1]
    axes[0, 1].axis("off")
    jitter = np.random.default_rng(0).uniform(-JITTER, JITTER, len(data))  # EM is whole: spread equal ones
    labels = set_labels(settings)
    for name in BY_EXACT_MATCH:
        rows = (data["set"] == name).to_numpy()
        if not rows.any():
            continue
        style = {"color": COLOURS[name], "label": f"{labels[name]}, {rows.sum():,}"}
        dots = {"s": 2.5, "alpha": 0.35, "linewidths": 0, "rasterized": True}
        main.scatter(data.nll[rows], data.em[rows] + jitter[rows], **dots, **style)
    counted_by_set(top, data, "nll", np.linspace(0, data.nll.max(), 60), settings)
    counted_by_set(side, data, "em", np.arange(-0.5, data.em.max() + 1), settings, orientation="horizontal")
    side.tick_params(axis="x", rotation=90)
    main.set(xlabel="NLL (nats per token)", ylabel="exact match (tokens)", xlim=(0, None))
    legend = main.legend(loc="center right", markerscale=3, handletextpad=0.2)
    for handle in legend.legend_handles:
        handle.set_alpha(1)
    unseen = said_of_unseen(unseen_recited(tables, settings))
    return Drawing(figure, data, _numbers(data, settings) | {"unseen": unseen})


def _numbers(data: pd.DataFrame, settings: Section) -> dict:
    n_continuation, compared = settings.paragraph.continuation, ("memorized", "non_memorized")
    medians = data.groupby("set").nll.median()
    return {
        "n_paragraphs": len(data),
        "sizes": {name: int((data["set"] == name).sum()) for name in compared},
        "n_continuation": n_continuation,
        "few": bins(n_continuation)["non_memorized"].stop - 1,
        "nll": {name.replace("_", "-"): float(medians[name]) for name in compared if name in medians},
    }
