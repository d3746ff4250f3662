"""Which method to use for which kind of place, at which cost (extended)."""

from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from memloc.figures.parts.methods import BASELINES, method_label
from memloc.figures.parts.planted import KIND_LABELS, kinds_of, means, of_own_units
from memloc.figures.parts.style import Drawing
from memloc.figures.parts.text_table import draw_table
from memloc.settings.base import Section
from memloc.statistics.uncertainty import MIN_N, holm, paired, sign_flip_p

HEADER = (
    "place",
    "plants",
    "method",
    "average precision",
    "gain over the twin",
    "chance",
    "size alone",
    "as the first",
    "seconds",
)
WIDTHS = (22, 7, 42, 22, 23, 7, 11, 13, 8)
GAIN = ("gain", "gain_low", "gain_high")
P_VALUES = ("p_twin", "p_chance", "p_first")
N_SHOWN = 3
WORTH = 0.5  # average precision from which a method is recommended
LEVEL = 0.05


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """At most three recommended methods for each kind of place; the CSV has all methods.

    Recommended is what beats its twin and chance and has an average precision of `WORTH` or more. Where there
    is none, the best one is in grey.
    """
    rows, costs = of_own_units(tables["planted_truth"]), of_own_units(tables["planted_costs"])
    found = means(rows, "average_precision")
    found = found[found["control"] == "plant"].drop(columns="control")
    data = found[~found["method"].isin(BASELINES)].merge(_tests(rows), on=["kind", "method"], how="left")
    seconds = costs[costs["control"] == "plant"].groupby(["kind", "method"])["seconds"].median()
    data = data.join(seconds, on=["kind", "method"])
    for name, baseline in (("by_chance", "random"), ("by_size", "weight_size")):
        value = found[found["method"] == baseline].set_index("kind")["value"]
        data[name] = data["kind"].map(value)
    data["recommended"] = (
        (data["value"] >= WORTH)
        & (data["p_twin"] < LEVEL)
        & (data["p_chance"] < LEVEL)
        & (data["n"] >= MIN_N)
    )
    # Of equally good methods, the one that finds less in the twin comes first, then the one that costs less.
    order = {"kind": True, "value": False, "gain": False, "seconds": True}
    data = data.sort_values([*order], ascending=[*order.values()], ignore_index=True)
    numbers = {"min_n": MIN_N, "n_shown": N_SHOWN, "worth": WORTH, "level": LEVEL}
    return Drawing(_table(data), data, numbers)


def _tests(rows: pd.DataFrame) -> pd.DataFrame:
    """Every method against its unplanted twin, random scores and the first method of its kind, by plant.

    The gain of average precision over the twin has its interval; p-values are corrected for a kind's methods.
    """
    scores, twins = (
        rows[rows["control"] == name].pivot(
            index=["kind", "plant"], columns="method", values="average_precision"
        )
        for name in ("plant", "twin")
    )
    gains, found = scores - twins.reindex_like(scores), []
    for kind, own in scores.groupby("kind"):
        asked = own.columns[own.notna().any()].difference(BASELINES)
        first = own[own[asked].mean().idxmax()]
        for method in asked:
            gain = gains.loc[[kind], method]
            against = (gain, own[method] - own["random"], own[method] - first)
            found.append((kind, method, *paired(gain)[:3], *map(sign_flip_p, against)))
    frame = pd.DataFrame(found, columns=["kind", "method", *GAIN, *P_VALUES])
    for name in P_VALUES:
        frame[name] = frame.groupby("kind")[name].transform(holm)
    infinite = [float("inf"), float("-inf")]
    return frame.replace(infinite, float("nan"))


def _table(data: pd.DataFrame) -> Figure:
    lines = []
    for kind in kinds_of(data):
        own = data[data["kind"] == kind]
        best = own[own["recommended"]].head(N_SHOWN)
        shown, colour = (best, "black") if len(best) else (own.head(1), "0.45")
        for place, row in enumerate(shown.to_dict("records")):
            cells = _cells(row, KIND_LABELS[kind] if place == 0 else "")
            lines.append([[(cell, colour)] for cell in cells])
    return draw_table(HEADER, lines, WIDTHS)


def _cells(row: dict[str, Any], place: str) -> list[str]:
    method, few = method_label(row["method"]), row["n"] < MIN_N
    if not row["recommended"]:
        method = f"{'undecided' if few and row['value'] >= WORTH else 'none'}; best: {method}"
    gain = "" if pd.isna(row["gain"]) else f"{round(row['gain'], 2) + 0:+.2f}"
    return [
        place,
        f"{row['n']}",
        method,
        f"{row['value']:.2f}{_ends(row['low'], row['high'])}",
        f"{gain}{_ends(row['gain_low'], row['gain_high'])}",
        f"{row['by_chance']:.2f}",
        f"{row['by_size']:.2f}",
        "\u2013" if few else "no" if row["p_first"] < LEVEL else "yes",
        f"{row['seconds']:.2f}",
    ]


def _ends(low: float, high: float) -> str:
    return "" if pd.isna(low) or pd.isna(high) else f" ({low:.2f} to {high:.2f})"
