"""The figure on ablation on made-up tables: plotted numbers, ranks, readable labels."""

import numpy as np
import pandas as pd
from drawn import assert_as_stored
from figure_labels import SETTINGS
from made_rankings import METHOD_LABELS
from made_tables import crossed

from memloc.figures import cumulative_ablation
from memloc.figures.cumulative_ablation import judges

GROUPS = {"memorized": 7, "non_memorized": 6, "held_out": 5}


def paragraphs(groups: dict[str, int], n_used: int = 0) -> pd.DataFrame:
    """Rows that say which paragraph, and how far `x` it is from its group's middle: -1 to 1."""
    rows = [
        {"group": group, "id": number, "used": number < n_used and group == "memorized", "x": x}
        for group, n in groups.items()
        for number, x in enumerate(np.linspace(-1, 1, n))
    ]
    return pd.DataFrame(rows)


# EM lost per head, memorized.
LOST = dict.fromkeys([(method, 0) for method in METHOD_LABELS], 2.25) | {("patching", 0): 4}
LOST |= {("combined", 0): 2.75, ("random", 0): 2, ("random", 1): 2.5, ("random", 2): 3.6}


def made_up_orders() -> pd.DataFrame:
    orders = pd.Series(LOST).rename_axis(["method", "draw"]).reset_index(name="lost")
    rows = orders.merge(crossed(n_heads=(0, 1, 4)), how="cross").merge(paragraphs(GROUPS), how="cross")
    lost = rows["lost"].where(rows["group"] == "memorized", 1)
    return rows.assign(em=40 - rows["n_heads"] * lost + rows["x"], nll=3 + rows["n_heads"] / 10 + rows["x"])


def test_judges_are_counted_once_and_those_that_chose_heads_are_told():
    rows = paragraphs(GROUPS, n_used=2)
    found = judges(pd.concat([rows, rows]))
    assert {name: found[f"n_{name}"] for name in GROUPS} == GROUPS and found["n_used"] == 2
    assert judges(rows.assign(used=rows["group"] != "memorized"))["n_used"] == 0


def test_rankings_are_drawn_as_stored():
    orders = made_up_orders()
    drawn = cumulative_ablation.draw({"cumulative_ablation": orders}, SETTINGS)
    assert_as_stored("cumulative_ablation", drawn)
    more = pd.concat([orders, orders.assign(n_heads=2 * orders["n_heads"])])  # 1, 2, 4, 8
    assert cumulative_ablation.draw({"cumulative_ablation": more}, SETTINGS).numbers["shown"] == 4
