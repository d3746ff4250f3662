"""Figures on ablation and noise on made-up tables: plotted numbers, ranks, readable labels."""

import numpy as np
import pandas as pd
import pytest
from drawn_parts import band_at
from figure_labels import checked
from made_rankings import METHOD_LABELS
from made_tables import crossed

from memloc.figures import cumulative_ablation, head_ablation, layer_bypass, weight_noise
from memloc.figures.parts.disturbance import PANELS, judges
from memloc.settings.sections import sections
from memloc.statistics import uncertainty

SETTINGS = sections({"highlight": {"layer": 1, "head": 2}, "paragraph": {"length": 100, "prefix": 50}})
GROUPS = {"memorized": 7, "non_memorized": 6, "held_out": 5}


def paragraphs(groups: dict[str, int], n_seen: int = 0) -> pd.DataFrame:
    """Rows that say which paragraph, and how far `x` it is from its group's middle: -1 to 1."""
    rows = [
        {"group": group, "id": number, "seen": number < n_seen and group == "memorized", "x": x}
        for group, n in groups.items()
        for number, x in enumerate(np.linspace(-1, 1, n))
    ]
    return pd.DataFrame(rows)


def made_up_effects() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    effects = crossed(measure=("em_lost", "nll_gained"), layer=range(3), head=range(4)).assign(memorized=1.0)
    effects["specific"] = rng.normal(size=len(effects))
    ranks = effects.groupby("measure")["specific"].rank(ascending=False).astype(int)
    low, high = effects["specific"] - 0.5, effects["specific"] + 0.5
    return effects.assign(non_memorized=1 - effects["specific"], held_out=0.5, low=low, high=high, rank=ranks)


# EM lost per head, memorized.
LOST = dict.fromkeys([(method, 0) for method in METHOD_LABELS], 2.25) | {("patching", 0): 4}
LOST |= {("combined", 0): 2.75, ("random", 0): 2, ("random", 1): 2.5, ("random", 2): 3.6}


def made_up_orders() -> pd.DataFrame:
    orders = pd.Series(LOST).rename_axis(["method", "draw"]).reset_index(name="lost")
    rows = orders.merge(crossed(n_heads=(0, 1, 4)), how="cross").merge(paragraphs(GROUPS), how="cross")
    lost = rows["lost"].where(rows["group"] == "memorized", 1)
    return rows.assign(em=40 - rows["n_heads"] * lost + rows["x"], nll=3 + rows["n_heads"] / 10 + rows["x"])


def made_up_noise() -> pd.DataFrame:
    """Zeroed weights have no size, and cost as much as noise of size 5; draws cost others 0, 1 and 3."""
    rows = crossed(arm=("top", "random"), size=(0.0, 1.0, 10.0, np.nan), draw=range(3))
    rows = rows.merge(paragraphs(GROUPS | {"choosing": 4}), how="cross").assign(n_weights=1000)
    lost = rows["group"].map({"memorized": 3, "choosing": 4}).fillna(0) * (rows["arm"] == "top")
    by = rows["draw"].map({0: 0, 1: 1, 2: 3})
    em = 45 - lost * rows["size"].fillna(5) - by * (rows["group"] == "non_memorized")
    kind = np.where(rows["size"].isna(), "zero", "noise")
    return rows.assign(kind=kind, em=em + rows["x"], nll=3 + by / 10 + rows["x"])


def made_up() -> dict[str, pd.DataFrame]:
    return {
        "head_effects": made_up_effects(),
        "head_ablation": paragraphs(GROUPS),
        "cumulative_ablation": made_up_orders(),
        "weight_noise": made_up_noise(),
    }


def test_heads_are_counted_by_their_intervals():
    effects = made_up_effects()
    rows = effects["measure"] == "nll_gained"
    for name, bound in (("specific", 0), ("low", 0), ("high", 0)):
        effects.loc[rows, name] = bound
    first = effects.index[rows][:8]
    effects.loc[first, "specific"] = [1, 1, 1, 1, 1, -1, -1, -1]
    effects.loc[first, "low"] = [0.5, 0.5, -0.5, -0.5, 0, -2, -2, -2]
    effects.loc[first, "high"] = [2, 2, 2, 2, 2, -0.5, 0.5, 0.5]
    maps = head_ablation.draw(made_up() | {"head_effects": effects}, SETTINGS).numbers["maps"]
    found = {one["measure"]: one for one in maps}["NLL gained"]
    assert (found["n_specific"], found["n_opposite"]) == (2, 1)


def made_up_bypasses() -> pd.DataFrame:
    """Attention of layer 1 costs memorized paragraphs 30 tokens, or 5 more with all above, less by way; all
    else costs everyone one token."""
    rows = pd.DataFrame(layer_bypass.STYLES.keys(), columns=["block", "way"])
    rows = rows.merge(crossed(layers=layer_bypass.TITLES, layer=range(3)), how="cross")
    rows = rows.merge(paragraphs(GROUPS), how="cross")
    attention = rows["block"] == "attention"
    less = rows["way"].map({"identity": 0, "zero": 2, "mean": 4}) - 5 * (rows["layers"] != "alone")
    lost = (30 - less).where(attention & (rows["layer"] == 1) & (rows["group"] == "memorized"), 1)
    gained = np.where(attention, 0.5, 0.25)
    return rows.assign(em=45 - lost + rows["x"], nll=3 + gained, em_lost=lost, nll_gained=gained)


def bypassed_tables(rows: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The tables of the figure. In twelve pairs, ids 0, 6, .. lose all without the attention of layer 2.

    With its mean in its place they lose nothing there, and no model is left without layer 1.
    """
    paired = crossed(layer=range(3), id=range(24))
    paired["em"] = np.where((paired["layer"] == 2) & (paired["id"] % 6 == 0), 3, 50)
    paired = paired.assign(block="attention", way="identity", layers="alone", group="paired", nll_gained=0.5)
    means = paired.assign(way="mean", layer=2 - paired["layer"], nll_gained=6.0 * (paired["layer"] == 1))
    sets = pd.DataFrame({"id": range(24), "set": ["memorized", "other"] * 12, "pair": np.arange(24) // 2})
    return {
        "layer_bypass": pd.concat([rows, *(own.assign(em_lost=0, nll=3.5) for own in (paired, means))]),
        "sets": sets,
    }


def test_maps_show_how_much_more_memorized_paragraphs_lose_and_which_intervals_exclude_zero():
    """Triangles point up where memorized paragraphs lose more."""
    tables = made_up()
    drawing = head_ablation.draw(tables, SETTINGS)
    effects = tables["head_effects"]
    for panel, measure in zip(drawing.figure.axes[:2], ("em_lost", "nll_gained"), strict=True):
        mesh, up, down = panel.collections
        expected, above, below = np.full((3, 4), np.nan), [], []
        for row in effects[effects["measure"] == measure].itertuples():
            expected[row.layer, row.head] = row.specific
            above += [(row.head + 0.5, row.layer)] if row.low > 0 else []
            below += [(row.head + 0.5, row.layer)] if row.high < 0 else []
        np.testing.assert_array_equal(mesh.get_array().reshape(3, 4), expected)
        assert sorted(map(tuple, up.get_offsets())) == sorted(above)
        assert sorted(map(tuple, down.get_offsets())) == sorted(below)
        corners = [marks.get_paths()[0].vertices for marks in (up, down)]
        widths = [np.ptp(found[np.isclose(found[:, 1], found[:, 1].max()), 0]) for found in corners]
        assert widths[0] == 0 < widths[1], "a corner above, and an edge above"
        assert [patch.get_xy() for patch in panel.patches] == [(2, 0.5)], "head 2 of layer 1"
    maps = {found["measure"]: found for found in drawing.numbers["maps"]}
    own = effects.query("measure == 'em_lost' and layer == 1 and head == 2").iloc[0]
    assert maps["EM lost"]["own"]["rank"] == own["rank"]
    assert [drawing.numbers[f"n_{group}"] for group in GROUPS] == [7, 6, 5]


def test_a_study_may_have_too_few_paragraphs_for_intervals():
    effects = made_up_effects().assign(low=np.nan, high=np.nan)
    drawing = head_ablation.draw(made_up() | {"head_effects": effects}, SETTINGS)
    assert "too few paragraphs for an interval" in checked("head_ablation", drawing)
    assert {one["n_specific"] + one["n_opposite"] for one in drawing.numbers["maps"]} == {0}


def test_rankings_are_drawn_as_means_beside_the_range_of_random_orders():
    drawing = cumulative_ablation.draw(made_up(), SETTINGS)
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
    assert drawing.numbers["n_random"] == 3 and "range of 3 random" in caption and "Too few pairs" in caption
    table = made_up_orders()
    judged = pd.concat([table, table[table["group"] == "held_out"].assign(group="paired")])
    drawing = cumulative_ablation.draw({"cumulative_ablation": judged}, SETTINGS)
    assert "Verdicts are on pairs" in checked("cumulative_ablation", drawing)


def test_noise_is_averaged_over_draws_and_paragraphs():
    drawing = weight_noise.draw(made_up(), SETTINGS)
    numbers = drawing.numbers
    assert numbers["whole"]["nll_held_out"] == pytest.approx(3.0)
    assert "Undisturbed: 45.0 and 45.0 tokens" in checked("weight_noise", drawing)
    assert (numbers["n_draws"], numbers["n_weights"], numbers["n_choosing"]) == (3, 1000, 4)
    panel = drawing.figure.axes[1]
    top = panel.collections[0].get_paths()[0].vertices[:, 1]
    assert (top.min(), top.max()) == pytest.approx((42, 45)), "range over draws, not over paragraphs"
    zeroed = [axes.lines[1].get_ydata()[0] for axes in drawing.figure.axes[:2]]
    assert zeroed == pytest.approx([30, 45 - 4 / 3]), "at the right"
    unmoved = [45 - 4 / 3] * 3
    heights = ([[45, 42, 15], [45] * 3], [unmoved] * 2, [[3 + 0.4 / 3] * 3] * 2)
    for axes, by_arm in zip(drawing.figure.axes, heights, strict=True):
        for line, expected in zip(axes.lines[:4:2], by_arm, strict=True):
            assert line.get_ydata().tolist() == pytest.approx(expected)


def test_judges_are_counted_once_and_those_that_chose_heads_are_told():
    rows = paragraphs(GROUPS, n_seen=2)
    found = judges(pd.concat([rows, rows]))
    assert {name: found[f"n_{name}"] for name in GROUPS} == GROUPS and ", so 2 of those" in found["seen"]
    assert "No analysis" in judges(rows.assign(seen=rows["group"] != "memorized"))["seen"]


def test_bypassed_blocks_are_drawn_as_means_of_paragraphs():
    drawing = layer_bypass.draw(bypassed_tables(made_up_bypasses()), SETTINGS)
    caption = checked("layer_bypass", drawing)
    assert "layer 1 most: without it they keep 15.0 tokens, others 44.0" in caption
    assert "the model as it is, 45.0 and 45.0 tokens, 3.000 nats" in caption
    assert "its own position only: without layer 2, 4 of the 6 memorized" in caption
    assert "the NLL of their partners rises by 0.500 (n = 6) nats per token. Attention: its mean" in caption
    assert (
        "its mean: without layer 2, 6 of the 6 memorized" in caption and "rises by 0.000 (n = 6)" in caption
    )
    assert "to compare: attention (without that of layer 1 the NLL of the pairs rises by 6.00 nats" in caption
    data = drawing.data.set_index(["measure", "block", "way", "layers", "layer"])
    interval = uncertainty.mean(15 + np.linspace(-1, 1, 7))
    own = data.loc["em_memorized", "attention", "identity", "alone", 1]
    assert own[["value", "low", "high", "n"]].tolist() == pytest.approx(list(interval))
    assert np.isnan(data.loc[("nll_held_out", "mlp", "zero", "alone", 0), "low"])  # five paragraphs
    first = drawing.figure.axes[0].collections[0].get_segments()[1]
    assert first[:, 1] == pytest.approx([interval.low, interval.high]) and set(first[:, 0].round()) == {1}
    for row, more in zip(np.array(drawing.figure.axes).reshape(2, 3), (0, 5), strict=True):
        for panel, measure, dotted in zip(row, PANELS, (45, 45, 3), strict=True):
            grey, *lines = panel.lines
            assert grey.get_ydata()[0] == pytest.approx(dotted)
            for line, (block, way) in zip(lines, layer_bypass.STYLES, strict=True):
                at_one = 15 - more + {"identity": 0, "zero": 2, "mean": 4}[way]
                heights = [44, at_one if block == "attention" and measure == "em_memorized" else 44, 44]
                if measure == "nll_held_out":
                    heights = [3.5 if block == "attention" else 3.25] * 3
                assert line.get_ydata() == pytest.approx(heights)
                assert line.get_xdata().round().tolist() == [0, 1, 2]


def test_intervals_of_exact_matches_end_at_the_whole_continuation():
    rows = made_up_bypasses()
    rows["em"] = np.where(rows["em"] > 40, np.where(rows["x"] > -1, 50, 30), rows["em"])
    rows["em_lost"] = 50 - rows["em"]
    data = layer_bypass.draw(bypassed_tables(rows), SETTINGS).data
    exact = data[data["measure"].str.startswith("em")]
    assert exact["high"].max() == 50 and exact["low"].min() >= 0 and data["high"].isna().any()
