"""Figures on ablation on made-up tables: plotted numbers, ranks, readable labels."""

import numpy as np
import pandas as pd
from drawn import assert_as_stored
from made_rankings import METHOD_LABELS
from made_tables import crossed

from memloc.figures import cumulative_ablation, layer_bypass
from memloc.figures.parts.disturbance import judges
from memloc.settings.sections import sections

SETTINGS = sections({"paragraph": {"length": 100, "prefix": 50}})
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


def made_up_bypasses() -> pd.DataFrame:
    """Attention of layer 1 costs memorized paragraphs 30 tokens, less by way; all else costs everyone one."""
    rows = pd.DataFrame(layer_bypass.STYLES.keys(), columns=["block", "way"])
    rows = rows.merge(crossed(layer=range(3)), how="cross")
    rows = rows.merge(paragraphs(GROUPS), how="cross")
    attention = rows["block"] == "attention"
    less = rows["way"].map({"identity": 0, "mean": 4})
    lost = (30 - less).where(attention & (rows["layer"] == 1) & (rows["group"] == "memorized"), 1)
    gained = np.where(attention, 0.5, 0.25)
    return rows.assign(em=45 - lost + rows["x"], nll=3 + gained, em_lost=lost, nll_gained=gained)


def bypassed_tables(rows: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The tables of the figure. In twelve pairs, ids 0, 6, .. lose all without the attention of layer 2.

    With its mean in its place they lose nothing there, and no model is left without layer 1.
    """
    paired = crossed(layer=range(3), id=range(24))
    paired["em"] = np.where((paired["layer"] == 2) & (paired["id"] % 6 == 0), 3, 50)
    paired = paired.assign(block="attention", way="identity", group="paired", nll_gained=0.5)
    means = paired.assign(way="mean", layer=2 - paired["layer"], nll_gained=6.0 * (paired["layer"] == 1))
    sets = pd.DataFrame({"id": range(24), "set": ["memorized", "other"] * 12, "pair": np.arange(24) // 2})
    return {
        "layer_bypass": pd.concat([rows, *(own.assign(em_lost=0, nll=3.5) for own in (paired, means))]),
        "sets": sets,
    }


def test_judges_are_counted_once_and_those_that_chose_heads_are_told():
    rows = paragraphs(GROUPS, n_used=2)
    found = judges(pd.concat([rows, rows]))
    assert {name: found[f"n_{name}"] for name in GROUPS} == GROUPS and found["n_used"] == 2
    assert judges(rows.assign(used=rows["group"] != "memorized"))["n_used"] == 0


def test_intervals_of_exact_matches_end_at_the_whole_continuation():
    rows = made_up_bypasses()
    rows = pd.concat([rows, rows.assign(id=rows["id"] + 10)], ignore_index=True)  # enough for intervals
    rows["em"] = np.where(rows["em"] > 40, np.where(rows["x"] > -0.5, 50, 30), rows["em"])
    rows["em_lost"] = 50 - rows["em"]
    data = layer_bypass.draw(bypassed_tables(rows), SETTINGS).data
    exact = data[data["measure"].str.startswith("em")]
    assert exact["high"].max() == 50 and exact["low"].min() >= 0 and data["high"].isna().any()


def test_rankings_are_drawn_as_stored():
    tables = {"cumulative_ablation": made_up_orders()}
    assert_as_stored("cumulative_ablation", cumulative_ablation.draw(tables, SETTINGS))


def test_bypasses_are_drawn_as_stored():
    assert_as_stored("layer_bypass", layer_bypass.draw(bypassed_tables(made_up_bypasses()), SETTINGS))
