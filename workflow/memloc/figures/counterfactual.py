"""Effect of training on a paragraph, against its repeats: counterfactual memorization (2112.12938)."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from memloc.figures.parts.memorized_fraction import BINS_PER_DOUBLING
from memloc.figures.parts.style import COLOURS, Drawing, Numbers, panel_labels, plain_log_ticks, subplots
from memloc.scoring.counterfactual import bits, comes_out, only_moved
from memloc.settings.base import Section
from memloc.statistics.uncertainty import Interval, means
from memloc.tables.terms.near_copies import RECONSTRUCTION

# Kinds of paragraphs (by recitation with and without training on them), and how each kind is drawn.
ANYWAY, IF_SEEN, UNJUDGED = "comes out anyway", "comes out if seen", "recited, not judged"
MOVED, OTHERS = "never comes out, yet moved", "others"
LOOKS = {
    OTHERS: {"color": "0.75", "marker": "."},
    MOVED: {"color": COLOURS["non_memorized"], "marker": "."},
    UNJUDGED: {"color": COLOURS["memorized"], "marker": "x"},
    IF_SEEN: {"color": COLOURS["memorized"], "marker": "."},
    ANYWAY: {"color": "black", "marker": "D", "facecolors": "none"},
}
PANELS = {"em": "more tokens of exact match", "nll": "NLL lowered (nats per token)"}
SPREAD = 0.06  # of the logarithm of repeats, by which marks are moved apart


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """Difference of models with and without each paragraph, and its mean by repeats with 95 % intervals."""
    table = tables["counterfactual"]
    data = table[(table["n_with"] > 0) & (table["n_without"] > 0)].reset_index(drop=True)
    chosen = {ANYWAY: data["kind"] == RECONSTRUCTION, IF_SEEN: data["kind"].notna()}
    chosen |= {UNJUDGED: data["kind_by_rule"].notna(), MOVED: only_moved(data)}
    data = data.assign(mark=np.select(list(chosen.values()), list(chosen), OTHERS))
    figure, axes = subplots(2.7, ncols=len(PANELS))
    for panel, (measure, label) in zip(axes, PANELS.items(), strict=True):
        sign = -1 if measure == "nll" else 1
        _panel(panel, data, sign * data[f"{measure}_difference"])
        panel.set(xscale="log", xlabel="occurrences in training", ylabel=label)
        plain_log_ticks(panel.xaxis)
    panel_labels(axes)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=6)
    scores = tables["half_scores"]
    held = bits(scores, settings.paragraph.continuation)
    a_weight = Interval(*(np.array(held[:3]) / scores["n_weights"].iloc[0]), held.n)
    unseen = comes_out(table["recited_without"][(table["n_with"] == 0) & table["kind_by_rule"].notna()])
    numbers = {"bits": held, "bits_a_weight": a_weight, "n_unseen": len(unseen), "unseen": int(unseen.sum())}
    return Drawing(figure, data, _numbers(data) | numbers)


def _panel(axes: Axes, data: pd.DataFrame, values: pd.Series) -> None:
    random = np.random.default_rng(0)
    places = data["repeats"] * np.exp(random.uniform(-SPREAD, SPREAD, len(data)))
    axes.axhline(0, color="0.75", lw=0.5, zorder=0)
    for kind, look in LOOKS.items():
        rows = data["mark"] == kind
        if rows.any():
            axes.scatter(places[rows], values[rows], s=9, linewidths=0.5, label=kind, alpha=0.7, **look)
    bins = np.floor(np.log2(data["repeats"]) * BINS_PER_DOUBLING)
    at, found = data["repeats"].groupby(bins).mean(), means(values.groupby(bins))
    axes.plot(at, found["value"], color="black", lw=1, label="mean")
    axes.vlines(at, found["low"], found["high"], color="black", lw=0.9)


def _numbers(data: pd.DataFrame) -> Numbers:
    anyway, moved = data["mark"] == ANYWAY, data["mark"] == MOVED
    by_rule = data["kind"].notna() & (data["kind_by_rule"] == RECONSTRUCTION)
    return {
        "n": len(data),
        "n_models": int((data["n_with"] + data["n_without"]).max()),
        "n_judged": int(data["kind"].notna().sum()),
        "n_unjudged": int((data["mark"] == UNJUDGED).sum()),
        "n_anyway": int(anyway.sum()),
        "n_by_rule": int(by_rule.sum()),
        "anyway_by_rule": int((anyway & by_rule).sum()),
        "n_moved": int(moved.sum()),
        "n_moved_once": int((moved & (data["repeats"] <= 1)).sum()),
    }
