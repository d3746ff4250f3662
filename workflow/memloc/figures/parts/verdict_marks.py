"""Colours of verdicts that colour-blind readers can tell apart, and marks that need no colour."""

import pandas as pd
from matplotlib.axes import Axes

from memloc.tables.terms.claims import (
    ERROR,
    FAILS,
    HOLDS,
    NO_DIFFERENCE,
    NO_VALUE,
    NOT_APPLICABLE,
    PER_CENT,
    TOO_FEW,
    on_scale,
)

DIFFER = "runs differ"  # overall, where not all runs have the same verdict

COLOURS = {
    HOLDS: "#0072b2",
    FAILS: "#d55e00",
    NO_DIFFERENCE: "#009e73",
    TOO_FEW: "#666666",
    NOT_APPLICABLE: "#999999",
    ERROR: "black",
    DIFFER: "#666666",
}
MARKS = {
    HOLDS: {"marker": "o", "mfc": COLOURS[HOLDS]},
    FAILS: {"marker": "X", "mfc": COLOURS[FAILS]},
    NO_DIFFERENCE: {"marker": "D", "mfc": COLOURS[NO_DIFFERENCE]},
    TOO_FEW: {"marker": "o", "mfc": "white"},
    NOT_APPLICABLE: {"marker": "_", "mfc": "none"},
    ERROR: {"marker": "s", "mfc": COLOURS[ERROR]},
    DIFFER: {"marker": "|", "mfc": "none"},
}


def draw_mark(axes: Axes, x: float, y: float, verdict: str) -> None:
    """Mark of a verdict at a point."""
    axes.plot([x], [y], ls="", ms=4.5, mec=COLOURS[verdict], clip_on=False, **MARKS[verdict])


def draw_legend(axes: Axes, where: str) -> None:
    """Legend of the marks."""
    handles = [
        axes.plot([], [], ls="", ms=4.5, mec=COLOURS[verdict], label=verdict, **mark)[0]
        for verdict, mark in MARKS.items()
    ]
    axes.figure.legend(handles=handles, loc=where, ncols=-(-len(handles) // 2))


def draw_grid(axes: Axes, claims: pd.DataFrame, spread: pd.DataFrame, run: str, runs: list) -> None:
    """Draw a row per claim, by topic: a mark for each run (column `run`) and for all, and the span of values.

    `spread` has the rows of `survival`.
    """
    rows = {claim: place for place, claim in enumerate(spread["id"])}
    for claim in claims.itertuples():
        draw_mark(axes, runs.index(getattr(claim, run)), rows[claim.id], claim.verdict)
    for claim in spread.itertuples():
        draw_mark(axes, len(runs), rows[claim.id], claim.verdict)
    axes.axvline(len(runs) - 0.5, color="0.8", lw=0.5)
    for claim in spread[spread["n_runs"] > 0].itertuples():
        span = f"{claim.lowest:.3g} to {claim.highest:.3g} ({claim.wanted})"
        axes.text(len(runs) + 0.6, rows[claim.id], span, fontsize=5, color="0.35", va="center")
    first = spread.drop_duplicates("topic")["id"].map(rows)
    for place in first[1:]:
        axes.axhline(place - 0.5, color="0.8", lw=0.5)
    axes.set_xticks(range(len(runs) + 1), [*runs, "all"])
    axes.set_yticks(range(len(rows)), [name.replace("_", " ") for name in rows])
    axes.tick_params(length=0)
    axes.set(xlim=(-0.5, len(runs) + 0.5), ylim=(len(rows) - 0.5, -0.5))


def survival(claims: pd.DataFrame, run: str) -> pd.DataFrame:
    """How often each claim gets each verdict over the runs, and the spread of its value.

    Returns:
        A row per claim: id, topic, statement, n_runs (to which it applies), a column per verdict with its
        number of runs, lowest, highest and standard deviation of the value (shares in per cent), the range
        `wanted`, and the overall `verdict` of the runs to which the claim applies, or that they differ.
    """
    rows = []
    for (topic, name), group in claims.groupby(["topic", "id"], sort=False):
        applied = group[~group["verdict"].isin(NO_VALUE)]
        found = applied["verdict"].unique()
        values = applied["value"] * (100 if group["scale"].iloc[0] == PER_CENT else 1)
        counts = group["verdict"].value_counts()
        rows.append(
            {
                "id": name,
                "topic": topic,
                "statement": group["statement"].iloc[0],
                "n_runs": applied[run].nunique(),
                **{verdict: int(counts.get(verdict, 0)) for verdict in MARKS},
                "lowest": values.min(),
                "highest": values.max(),
                "deviation": values.std(),
                "wanted": _wanted(group.iloc[0]),
                "verdict": DIFFER if len(found) > 1 else found[0] if len(found) else NOT_APPLICABLE,
            }
        )
    return pd.DataFrame(rows)


def _wanted(claim: pd.Series) -> str:
    """The range in which the whole interval of a value must lie for the claim to hold."""
    low, high = (on_scale(claim["bound"] + side * claim["matters"], claim["scale"]) for side in (-1, 1))
    wanted = {"greater": f"> {high}", "at least": f"> {low}", "equal within": f"{low} to {high}"}
    return wanted[claim["rule"]]


def survival_numbers(spread: pd.DataFrame, n_runs: int) -> dict:
    """Numbers of captions on `survival`: claims by overall verdict, and those that runs contradict."""
    kinds = spread["verdict"].value_counts()
    return {
        "n_runs": n_runs,
        "n_applied": int((spread["verdict"] != NOT_APPLICABLE).sum()),
        "counts": {verdict: int(kinds.get(verdict, 0)) for verdict in MARKS},
        "contradicted": int(((spread[HOLDS] > 0) & (spread[FAILS] > 0)).sum()),
    }
