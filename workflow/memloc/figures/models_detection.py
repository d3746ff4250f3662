"""Do features that predict the recitation of one model predict that of another (not in the paper)?"""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from memloc.figures.parts.across import looks
from memloc.figures.parts.strata import STRATA, WORDS
from memloc.figures.parts.style import PAGE_WIDTH, Drawing, subplots
from memloc.settings.base import Section

FEATURES = {
    "nll": "prefix NLL",
    "likelihoods": "all likelihoods",
    "likelihoods_and_summaries": "likelihoods and\nsummed-up activations",
    "residual": "residual stream,\nlast layer",
    "bag_of_words": "words alone",
}
WIDTH = 0.6  # of the marks of one tested model, in places of the axis


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """Rows: strata. Columns: what classifiers see. Each: AUROC by tested model, a mark per trained one."""
    found, styles = tables["detection_transfer"], looks(tables["models"])
    present = [name for name in STRATA if (found["stratum"] == name).any()]
    shown = [name for name in FEATURES if (found["features"] == name).any()]
    size = {"nrows": max(len(present), 1), "ncols": max(len(shown), 1)}
    figure, grid = subplots(
        PAGE_WIDTH, 1.35 * size["nrows"] + 0.9, **size, squeeze=False, sharex=True, sharey="row"
    )
    for panels, stratum in zip(grid, present, strict=False):
        for panel, features in zip(panels, shown, strict=True):
            rows = found[(found["stratum"] == stratum) & (found["features"] == features)]
            _draw_models(panel, rows, styles)
        panels[0].set_ylabel(f"AUROC,\n{STRATA[stratum]}")
    for panel, features in zip(grid[0], shown, strict=False):
        panel.set_title(FEATURES[features])
    if present:
        handles, labels = grid[0, 0].get_legend_handles_labels()
        figure.legend(
            handles, labels, loc="outside lower center", ncols=4, title="fitted to (filled: itself)"
        )
    else:
        grid[0, 0].text(0.5, 0.5, "too few paragraphs", ha="center", transform=grid[0, 0].transAxes)
    return Drawing(figure, found, _numbers(found, present, shown, len(styles)))


def _draw_models(axes: Axes, rows: pd.DataFrame, styles: dict[str, dict[str, Any]]) -> None:
    axes.axhline(0.5, color="0.8", lw=0.6, zorder=0)
    step = WIDTH / max(len(styles) - 1, 1)
    for number, (trained_on, style) in enumerate(styles.items()):
        fits = rows[rows["trained_on"] == trained_on].set_index("tested_on").reindex(list(styles))
        places = [place + step * number - WIDTH / 2 for place in range(len(styles))]
        ends = [(fits["auroc"] - fits["auroc_low"]), (fits["auroc_high"] - fits["auroc"])]
        bars = [end.fillna(0).clip(lower=0) for end in ends]
        axes.errorbar(places, fits["auroc"], bars, **style | {"ls": "", "mfc": "white", "elinewidth": 0.7})
        own = list(styles).index(trained_on)
        axes.plot(places[own], fits["auroc"].iloc[own], **style | {"label": None, "zorder": 3})
    axes.set_xticks(range(len(styles)), list(styles), rotation=90)
    axes.margins(x=0.08)


def _numbers(found: pd.DataFrame, present: list[str], shown: list[str], n_models: int) -> dict[str, Any]:
    """Means within models and across pairs, and how many pairs tell more or less, beyond their interval."""
    pairs = found.loc[found["trained_on"] != found["tested_on"], ["trained_on", "tested_on"]]
    return {
        "strata": {
            name: {
                FEATURES[features].replace("\n", " "): _told(rows[rows["features"] == features])
                for features in shown
            }
            for name in present
            for rows in (found[found["stratum"] == name],)
        },
        "n_seen": None if found.empty else int(found["n_seen"].iloc[0]),
        "n_pairs": n_models * (n_models - 1),
        "n_told": len(pairs.drop_duplicates()),
        "words": WORDS,
    }


def _told(rows: pd.DataFrame) -> dict[str, float]:
    itself = rows["trained_on"] == rows["tested_on"]
    within, across = rows[itself], rows[~itself]
    means = {
        f"{measure}_{where}": float(some[measure].mean())
        for measure in ("auroc", "calibration_error")
        for where, some in (("within", within), ("across", across))
    }
    less, more = (across["change_high"] < 0).sum(), (across["change_low"] > 0).sum()
    return means | {
        "n_within": len(within),
        "n_across": len(across),
        "n_less": int(less),
        "n_more": int(more),
    }
