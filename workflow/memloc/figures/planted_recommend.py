"""Which method to use for which kind of place, at which cost (extended)."""

import pandas as pd
from matplotlib.figure import Figure

from memloc.figures.parts.planted import (
    BASELINES,
    KIND_LABELS,
    kinds_of,
    label,
    means,
    of_own_units,
)
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
    "p, twin",
    "p, chance",
    "p, first",
    "seconds",
)
WIDTHS = (22, 7, 24, 22, 23, 9, 11, 9, 9)
GAIN = ("gain", "gain_low", "gain_high")
P_VALUES = ("p_twin", "p_chance", "p_first")
N_SHOWN = 3


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """The three methods with the highest average precision for each kind of place; the CSV has all."""
    rows, costs = of_own_units(tables["planted_truth"]), of_own_units(tables["planted_costs"])
    data = means(rows, "average_precision")
    data = data[(data["control"] == "plant") & ~data["method"].isin(BASELINES)].drop(columns="control")
    data = data.merge(_tests(rows), on=["kind", "method"], how="left")
    seconds = costs[costs["control"] == "plant"].groupby(["kind", "method"])["seconds"].median()
    data = data.join(seconds, on=["kind", "method"])
    # Of equally good methods, the one that finds less in the twin comes first, then the one that costs less.
    order = {"kind": True, "value": False, "gain": False, "seconds": True}
    data = data.sort_values([*order], ascending=[*order.values()], ignore_index=True)
    kinds = kinds_of(data)
    shown = pd.concat([data[data["kind"] == kind].head(N_SHOWN) for kind in kinds]) if kinds else data
    return Drawing(
        _table(shown), data, {"min_n": MIN_N, "n_shown": N_SHOWN, "by_size": _by_size(rows, kinds)}
    )


def _by_size(rows: pd.DataFrame, kinds: list[str]) -> dict[str, float]:
    """Average precision of the weights' size alone, by kind: plants that stand out by size need no method."""
    found = rows[(rows["method"] == "weight_size") & (rows["control"] == "plant")]
    found = found.groupby("kind", observed=True)["average_precision"].mean()
    return {KIND_LABELS[kind]: float(found[kind]) for kind in kinds if kind in found.index}


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


def _table(shown: pd.DataFrame) -> Figure:
    def plain(text: str) -> list[tuple[str, str]]:
        return [(text, "black")]

    def ends(low: float, high: float) -> str:
        return "" if pd.isna(low) or pd.isna(high) else f" ({low:.2f} to {high:.2f})"

    lines = []
    for row in shown.itertuples():
        gain = (
            "" if pd.isna(row.gain) else f"{round(row.gain, 2) + 0:+.2f}{ends(row.gain_low, row.gain_high)}"
        )
        p_values = [getattr(row, name) for name in P_VALUES]
        found = f"{row.value:.2f}{ends(row.low, row.high)}"
        cells = (
            KIND_LABELS[row.kind],
            f"{row.n}",
            label(row.method),
            found,
            gain,
            *("\u2013" if row.n < MIN_N else f"{value:.3f}" for value in p_values),
            f"{row.seconds:.2f}",
        )
        lines.append([plain(cell) for cell in cells])
    return draw_table(HEADER, lines, WIDTHS)
