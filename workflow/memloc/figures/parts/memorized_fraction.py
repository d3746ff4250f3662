"""The fraction of paragraphs that are memorized, with its interval: of all, and by how often they occur."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from memloc.data.sets import exposure
from memloc.run.templates import percent, quoted
from memloc.settings.base import Section
from memloc.statistics.uncertainty import Interval, proportion, table
from memloc.tables.terms.sets import UNSEEN

BINS_PER_DOUBLING = 2
UNSEEN_AT = 0.5  # place of paragraphs with 0 occurrences on a logarithmic axis
# Labels of repeats, by the place where they are counted.
OCCURRENCES = {
    "stream": "occurrences of the continuation in training",
    "corpus": "occurrences in the training text",
}


def counted_in(tables: dict[str, pd.DataFrame]) -> str:
    """Where the repeats of `memloc.data.sets.exposure` are counted: a key of `OCCURRENCES`."""
    return "stream" if tables["paragraphs"]["continuation_count"].notna().all() else "corpus"


def intervals(successes: pd.Series, trials: pd.Series) -> pd.DataFrame:
    """Share of successes of each row: fraction, low and high (missing where trials are too few)."""
    found = [proportion(*row) for row in zip(successes, trials, strict=True)]
    return table(found, successes.index)[["value", "low", "high"]].rename(columns={"value": "fraction"})


def repeat_bins(data: pd.DataFrame, outcome: str) -> pd.DataFrame:
    """Share of paragraphs with an outcome, with its interval, per bin of repeats (half a doubling wide).

    `data` has a row per paragraph: count, continuation_count, and the outcome (bool). The result has a row
    per bin that holds paragraphs, `n_<outcome>` of them with the outcome. Repeats are counted as in
    `memloc.data.sets.exposure`; paragraphs without any are in no bin.
    """
    data = data.assign(repeats=exposure(data))
    data = data[data["repeats"] > 0]
    grouped = data.groupby(np.floor(np.log2(data["repeats"]) * BINS_PER_DOUBLING).astype(int))
    binned = pd.DataFrame(
        {
            "repeats_mean": grouped["repeats"].mean(),
            "repeats_min": grouped["repeats"].min(),
            "repeats_max": grouped["repeats"].max(),
            "n_paragraphs": grouped.size(),
            f"n_{outcome}": grouped[outcome].sum(),
        }
    ).reset_index(drop=True)
    return binned.join(intervals(binned[f"n_{outcome}"], binned["n_paragraphs"]))


def name_unseen(axes: Axes) -> None:
    """Name the place of paragraphs that are unseen on an axis of repeats, and part it from the others."""
    where = {"xycoords": axes.get_xaxis_transform(), "textcoords": "offset points"}
    edge = UNSEEN_AT * 2**0.5
    axes.annotate("unseen", (edge, 0), (-1, -3.5), **where, ha="right", va="top", fontsize=6)
    axes.axvline(edge, color="0.8", lw=0.6)


def unseen_recited(tables: dict[str, pd.DataFrame], settings: Section) -> Interval | None:
    """Share of the unseen paragraphs that greedy decoding recites, if any are known."""
    ids = tables["sets"].loc[tables["sets"]["set"] == UNSEEN, "id"]
    em = tables["scores"].loc[tables["scores"]["id"].isin(ids), "em"]
    recited = int((em == settings.paragraph.continuation).sum())
    return proportion(recited, len(em)) if len(em) else None


def said_of_unseen(share: Interval | None) -> str:
    """A sentence of captions on `unseen_recited`."""
    if share is None:
        return "No paragraph is known to be unseen."
    return f"Of {share.n} unseen paragraphs, the model recites {percent(share, 1)}."


def unseen_by_model(tables: dict[str, pd.DataFrame], settings: Section) -> str:
    """A sentence of captions across models: the largest share of unseen paragraphs that one recites."""
    known = {}
    for model in tables["models"]["model"]:
        own = {name: tables[name][tables[name]["model"] == model] for name in ("sets", "scores")}
        if found := unseen_recited(own, settings):
            known[model] = found
    if not known:
        return "No paragraph is known to be unseen."
    most = max(known, key=lambda model: known[model].value)
    return f"Of unseen paragraphs, {quoted(most)} recites most, {percent(known[most], 1)}."
