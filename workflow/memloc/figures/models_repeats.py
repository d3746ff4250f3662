"""Fraction of paragraphs that are memorized against how often they occur, by model (not in the paper)."""

import pandas as pd

from memloc.data.index_counts import counted
from memloc.data.sets import without_controls
from memloc.figures.parts.across import looks
from memloc.figures.parts.memorized_fraction import first_half, fraction_by_repeats, unseen_by_model
from memloc.figures.parts.style import COLUMN_WIDTH, Drawing, plain_log_ticks, subplots
from memloc.settings.base import Section
from memloc.statistics.uncertainty import CONFIDENCE


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """As figure `repeats`: bins half a doubling wide, with a 95 % Wilson band, for every model."""
    data = counted(tables).merge(without_controls(tables["sets"]), on=["model", "id"])
    styles = looks(tables["models"])
    binned = {model: fraction_by_repeats(data[data["model"] == model]) for model in styles}
    figure, axes = subplots(COLUMN_WIDTH, 2.6)
    for model, style in styles.items():
        bins = binned[model]
        axes.fill_between(bins.repeats_mean, bins.low, bins.high, color=style["color"], alpha=0.15, lw=0)
        axes.plot(bins.repeats_mean, bins.fraction, **style)
    axes.set(
        xscale="log",
        xlabel="occurrences in the corpus",
        ylabel="fraction memorized",
        ylim=(-0.02, 1.02),
    )
    plain_log_ticks(axes.xaxis)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside upper center", ncols=min(len(styles), 3))
    rows = pd.concat(binned, names=["model"])
    numbers = {
        "confidence": CONFIDENCE,
        "unseen": unseen_by_model(tables, settings),
        "half": {model: first_half(bins) for model, bins in binned.items()},
        **_separated(rows),
    }
    return Drawing(figure, rows.reset_index("model"), numbers)


def _separated(rows: pd.DataFrame) -> dict[str, int]:
    """Bins that hold paragraphs of all models, and those in which no two models' bands overlap."""
    n_models = rows.index.get_level_values("model").nunique()
    shared = [bins.sort_values("low") for _, bins in rows.groupby("repeats_min") if len(bins) == n_models]
    apart = [(bins["high"].to_numpy()[:-1] < bins["low"].to_numpy()[1:]).all() for bins in shared]
    return {"n_bins": len(shared), "n_bins_apart": sum(apart)}
