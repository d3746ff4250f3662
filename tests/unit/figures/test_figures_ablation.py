"""Figures on ablation and noise on made-up tables: plotted numbers, ranks, readable labels."""

import numpy as np
import pandas as pd
import pytest
from drawn_parts import band_at
from figure_labels import checked
from made_rankings import METHOD_LABELS
from made_tables import crossed

from memloc.figures import cumulative_ablation, layer_bypass, weight_noise
from memloc.figures.parts.disturbance import PANELS, judges
from memloc.settings.sections import sections
from memloc.statistics import uncertainty

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


def made_up_noise() -> pd.DataFrame:
    """Draws cost others 0, 1 and 3 tokens."""
    rows = crossed(arm=("top", "random"), size=(0.0, 1.0, 10.0), draw=range(3))
    rows = rows.merge(paragraphs(GROUPS), how="cross").assign(n_weights=1000)
    lost = 3 * (rows["group"] == "memorized") * (rows["arm"] == "top")
    by = rows["draw"].map({0: 0, 1: 1, 2: 3})
    em = 45 - lost * rows["size"] - by * (rows["group"] == "non_memorized")
    return rows.assign(em=em + rows["x"], nll=3 + by / 10 + rows["x"])


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


def test_rankings_are_drawn_as_means_beside_the_range_of_random_orders():
    drawing = cumulative_ablation.draw({"cumulative_ablation": made_up_orders()}, SETTINGS)
    panel = drawing.figure.axes[0]
    lines = {line.get_label(): line.get_ydata().tolist() for line in panel.lines}
    assert lines["activation patching"] == pytest.approx([40, 36, 24])
    assert lines["random heads"] == pytest.approx([40, 40 - 8.1 / 3, 40 - 4 * 8.1 / 3])
    grey = panel.collections[0]
    assert band_at(grey, 1) == pytest.approx((36.4, 38)) and band_at(grey, 4) == pytest.approx((25.6, 32))
    for axes, heights in zip(drawing.figure.axes[1:], ([40, 39, 36], [3, 3.1, 3.4]), strict=True):
        for line in axes.lines:
            assert line.get_ydata().tolist() == pytest.approx(heights)
    caption = checked("cumulative_ablation", drawing)
    assert drawing.numbers["n_random"] == 3
    assert "Without the first 4 heads of all methods together" in caption


def test_noise_is_averaged_over_draws_and_paragraphs():
    drawing = weight_noise.draw({"weight_noise": made_up_noise()}, SETTINGS)
    numbers = drawing.numbers
    assert (numbers["n_draws"], numbers["n_weights"]) == (3, 1000)
    assert "memorized paragraphs keep 15.0 tokens" in checked("weight_noise", drawing)
    panel = drawing.figure.axes[1]
    top = panel.collections[0].get_paths()[0].vertices[:, 1]
    assert (top.min(), top.max()) == pytest.approx((42, 45)), "range over draws, not over paragraphs"
    unmoved = [45 - 4 / 3] * 3
    heights = ([[45, 42, 15], [45] * 3], [unmoved] * 2, [[3 + 0.4 / 3] * 3] * 2)
    for axes, by_arm in zip(drawing.figure.axes, heights, strict=True):
        for line, expected in zip(axes.lines, by_arm, strict=True):
            assert line.get_ydata().tolist() == pytest.approx(expected)


def test_judges_are_counted_once_and_those_that_chose_heads_are_told():
    rows = paragraphs(GROUPS, n_used=2)
    found = judges(pd.concat([rows, rows]))
    assert {name: found[f"n_{name}"] for name in GROUPS} == GROUPS and found["n_used"] == 2
    assert judges(rows.assign(used=rows["group"] != "memorized"))["n_used"] == 0


def test_bypassed_blocks_are_drawn_as_means_of_paragraphs():
    drawing = layer_bypass.draw(bypassed_tables(made_up_bypasses()), SETTINGS)
    caption = checked("layer_bypass", drawing)
    assert "layer 1 (attention to its own position only), keeping 15.0 tokens (others 44.0)" in caption
    assert "would leave them fewer tokens than others: 2 of 9 bypasses do." in caption
    data = drawing.data.set_index(["measure", "block", "way", "layer"])
    interval = uncertainty.mean(15 + np.linspace(-1, 1, 7))
    own = data.loc["em_memorized", "attention", "identity", 1]
    assert own[["value", "low", "high", "n"]].tolist() == pytest.approx(list(interval))
    assert np.isnan(data.loc[("nll_held_out", "mlp", "mean", 0), "low"])  # five paragraphs
    band = drawing.figure.axes[0].collections[0]
    assert band_at(band, 1) == pytest.approx((interval.low, interval.high))
    for panel, measure, dotted in zip(drawing.figure.axes, PANELS, (45, 45, 3), strict=True):
        grey, *lines = panel.lines
        assert grey.get_ydata()[0] == pytest.approx(dotted)
        for line, (block, way) in zip(lines, layer_bypass.STYLES, strict=True):
            at_one = 15 + {"identity": 0, "mean": 4}[way]
            heights = [44, at_one if block == "attention" and measure == "em_memorized" else 44, 44]
            if measure == "nll_held_out":
                heights = [3.5 if block == "attention" else 3.25] * 3
            assert line.get_ydata() == pytest.approx(heights)
            assert line.get_xdata().tolist() == [0, 1, 2]


def test_intervals_of_exact_matches_end_at_the_whole_continuation():
    rows = made_up_bypasses()
    rows["em"] = np.where(rows["em"] > 40, np.where(rows["x"] > -1, 50, 30), rows["em"])
    rows["em_lost"] = 50 - rows["em"]
    data = layer_bypass.draw(bypassed_tables(rows), SETTINGS).data
    exact = data[data["measure"].str.startswith("em")]
    assert exact["high"].max() == 50 and exact["low"].min() >= 0 and data["high"].isna().any()
