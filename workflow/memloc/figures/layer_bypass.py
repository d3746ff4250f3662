"""Losses of memorized paragraphs and other text when whole blocks are bypassed (extended; 2501.05078)."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from memloc.figures.parts.disturbance import PANELS, judges, three_panels
from memloc.figures.parts.style import Drawing
from memloc.settings.base import Section
from memloc.statistics.uncertainty import means

STYLES = {  # label, colour and marker
    ("attention", "identity"): ("attention to its own position only", "#d55e00", "o"),
    ("attention", "mean"): ("attention: its mean", "#e69f00", "^"),
    ("mlp", "mean"): ("MLP: its mean", "#56b4e9", "v"),
}


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """A panel per kind of text; grey: the model as it is."""
    rows, n_continuation = tables["layer_bypass"], settings.paragraph.continuation
    data = _means(rows, ["block", "way", "layer"], n_continuation)
    first = rows.drop_duplicates(["group", "id"])
    whole = first.assign(em=first["em"] + first["em_lost"], nll=first["nll"] - first["nll_gained"], every=0)
    whole = _means(whole, ["every"], n_continuation).set_index("measure")["value"]

    def lines(axes: Axes, found: pd.DataFrame, name: str) -> None:
        axes.axhline(whole[name], color="0.6", lw=0.7, ls=":", label="_")
        for (block, way), (label, colour, marker) in STYLES.items():
            chosen = (found["block"] == block) & (found["way"] == way) & (found["measure"] == name)
            own = found[chosen].sort_values("layer")
            axes.fill_between(own["layer"], own["low"], own["high"], color=colour, alpha=0.15, lw=0)
            axes.plot(own["layer"], own["value"], color=colour, marker=marker, ms=3, mew=0, label=label)
        axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
        axes.margins(x=0.03)

    figure = three_panels(data, lines, "layer", height=2.2, legend_columns=len(STYLES))
    wide = data.pivot(index=["block", "way", "layer"], columns="measure", values="value")
    worse = wide["em_memorized"] < wide["em_non_memorized"]
    numbers = {"ways": _ways(wide), "n_worse": int(worse.sum()), "n_bypasses": len(wide)}
    return Drawing(figure, data, numbers | judges(rows))


def _means(rows: pd.DataFrame, keys: list[str], most: int) -> pd.DataFrame:
    """Means over paragraphs with intervals, by the keys and kind of text (`measure`); intervals of exact
    matches are clipped to 0 and `most` tokens."""
    found = []
    for name in PANELS:
        column, _, group = name.partition("_")
        own = means(rows[rows["group"] == group].groupby(keys)[column]).assign(measure=name)
        own[["low", "high"]] = own[["low", "high"]].clip(0, most if column == "em" else None)
        found.append(own)
    return pd.concat(found).reset_index()


def _ways(wide: pd.DataFrame) -> list[dict[str, Any]]:
    """For each way, the layer without which memorized paragraphs keep the fewest tokens, and the means."""
    found = []
    for (block, way), rows in wide.groupby(["block", "way"]):
        worst = rows["em_memorized"].idxmin()
        found.append({"label": STYLES[block, way][0], "layer": worst[2], **rows.loc[worst].to_dict()})
    return found
