"""Is a grown memory where it grew? Its NLL while places are exchanged between a model and its twins."""

import pandas as pd

from memloc.figures.parts.grown import KIND_LABELS
from memloc.figures.parts.style import Drawing, Numbers, subplots
from memloc.settings.base import Section

SHOWN = {
    "nll": "where it\ngrew",
    "nll_swapped": "place as in\nswap twin",
    "nll_before": "place as\nbefore",
    "nll_carried": "place in a\ntwin without",
    "nll_never": "twin\nwithout",
}


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """A panel per kind of place: NLL (nats per token) of every recited memory, and the median."""
    rows = tables["twins"]
    took = rows[rows["em"] == settings.paragraph.continuation]
    kinds = [kind for kind in KIND_LABELS if kind in set(rows["kind"])]
    figure, axes = subplots(2.4, ncols=len(kinds), sharey=True, squeeze=False)
    for panel, kind in zip(axes[0], kinds, strict=True):
        own = took.loc[took["kind"] == kind, list(SHOWN)]
        panel.plot(range(len(SHOWN)), own.T.to_numpy(), color="#c8102e", lw=0.6, alpha=0.35)
        panel.plot(range(len(SHOWN)), own.median().to_numpy(), color="#c8102e", lw=1.8, marker="o", ms=3)
        panel.set(title=KIND_LABELS[kind].replace(": ", ":\n"), xlim=(-0.3, len(SHOWN) - 0.7))
        panel.set_xticks(range(len(SHOWN)), SHOWN.values(), rotation=90)
    axes[0][0].set_ylim(bottom=0)
    axes[0][0].set_ylabel("NLL of the continuation\n(nats per token)")
    numbers = {"kinds": [_numbers(rows[rows["kind"] == kind], took, kind) for kind in kinds]}
    return Drawing(figure, rows, numbers)


def _numbers(rows: pd.DataFrame, took: pd.DataFrame, kind: str) -> Numbers:
    own = took[took["kind"] == kind]
    carried = f"{100 * (1 - own['leak'].median()):.0f} %"
    return {"kind": KIND_LABELS[kind], "n": len(own), "n_all": len(rows), "carried": carried}
