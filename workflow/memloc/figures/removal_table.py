"""Ways to remove recitation, by every judge, as a table (extended)."""

import pandas as pd
from matplotlib.figure import Figure

from memloc.figures.parts.removal import CONFIDENCE, LABELS, MODES, N_DRAWS, judged_ways, number, ways_of
from memloc.figures.parts.style import Drawing
from memloc.figures.parts.text_table import draw_table
from memloc.settings.base import Section
from memloc.settings.removal_ways import NOTHING

COLUMNS = {  # measure: title, width, format
    "forgotten": ("forgotten", 20, ".1f"),
    "recited": ("recited", 8, ".2f"),
    "sampled": ("sampled", 8, ".2f"),
    "longest_run": ("run", 5, ".1f"),
    "edit_distance": ("edits", 6, ".2f"),
    "recited_perturbed": ("perturbed", 10, ".2f"),
    "recited_shifted": ("shifted", 8, ".2f"),
    "relearning": ("relearned", 10, ".1f"),
    "em_other_lost": ("others lose", 12, ".1f"),
    "em_own_lost": ("own lose", 20, ".1f"),
    "changed": ("changed", 8, ".2f"),
    "nll_gained": ("NLL", 7, "+z.2f"),
}
WITH_INTERVAL = ("forgotten", "em_own_lost")
HEADER = ("way", "setting", *(title for title, _, _ in COLUMNS.values()), "weights", "seconds", "MiB")
WIDTHS = (42, 26, *(width for _, width, _ in COLUMNS.values()), 13, 8, 6)


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """A line per way: first removing together, then one by one; the CSV has all intervals."""
    data, removal = judged_ways(tables), tables["removal"]
    about = removal.groupby(["way", "mode"]).agg(
        setting=("setting", "first"),
        weights=("n_changed_weights", "median"),
        targeted=("targeted", "first"),
    )
    costs = tables["removal_costs"].groupby(["way", "mode"])[["seconds", "memory_mb"]].median()
    data = data.join(about, on=["way", "mode"]).join(costs, on=["way", "mode"])
    rows = [(NOTHING, "joint")] + [(way, mode) for mode in MODES for way in ways_of(data)]
    present = data.set_index(["way", "mode"]).index
    figure = _table(data, [row for row in rows if row in present])
    sizes = data[data["measure"] == "forgotten"].groupby("mode")["n"].max()
    numbers = {"n_joint": int(sizes["joint"]), "n_single": int(sizes.get("single", 0))}
    return Drawing(figure, data, numbers | {"n_draws": N_DRAWS, "confidence": CONFIDENCE})


def _table(data: pd.DataFrame, rows: list[tuple[str, str]]) -> Figure:
    lines = []
    for way, mode in rows:
        own = data[(data["way"] == way) & (data["mode"] == mode)].set_index("measure")
        first = own.iloc[0]
        name = LABELS[way] if mode == "joint" else f"{LABELS[way]}, {MODES[mode]}"
        name += " *" if way != NOTHING and not first["targeted"] else ""
        cells = [name, first["setting"], *(_cell(own.loc[measure], measure) for measure in COLUMNS)]
        cells += [f"{first['weights']:,.0f}", number(first["seconds"], ".2f")]
        cells.append(number(first["memory_mb"], ",.0f"))
        lines.append([[(cell, "black")] for cell in cells])
    return draw_table(HEADER, lines, WIDTHS)


def _cell(row: pd.Series, measure: str) -> str:
    form = COLUMNS[measure][2]
    ends = ""
    if measure in WITH_INTERVAL and not pd.isna(row["low"]):
        ends = f" ({row['low']:{form}} to {row['high']:{form}})"
    return number(row["value"], form) + ends
