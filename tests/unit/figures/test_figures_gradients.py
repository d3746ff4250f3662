"""Figures of gradients: what is plotted and said of tables."""

import numpy as np
import pandas as pd
import pytest
from figure_labels import checked
from made_activations import SETTINGS, components, made_up, map_values, panels
from made_settings import changed

from memloc.figures import fig4, fig9, fig10

GROUPS = ("memorized", "non_memorized", "partly_11_29", "partly_30_49", "contrastive")
WEIGHTS = changed(SETTINGS, contrastive={"reference": True})


def weights(n_layers: int = 2, n_heads: int = 3) -> dict[str, pd.DataFrame]:
    """Tables of random gradients of weights."""
    heads = {"W_Q": n_heads, "W_K": n_heads, "W_V": n_heads, "W_O": n_heads, "W_in": None, "W_out": None}
    rng, base = np.random.default_rng(0), components(n_layers, heads)
    frames = []
    for group in GROUPS:
        size = rng.gamma(1.0, 1e-3, len(base))
        frames.append(base.assign(group=group, max_abs=size, sum_abs=40 * size, n_weights=64))
    names = np.repeat(GROUPS[:4], 3)
    return {
        "parameter_gradients": pd.concat(frames, ignore_index=True),
        "sets": pd.DataFrame({"id": range(len(names)), "set": names, "sampled": True}),
    }


def test_figures_4_and_9_count_sampled_paragraphs():
    tables = weights()
    more = pd.DataFrame({"id": range(90, 95), "set": ["memorized"] * 2 + ["non_memorized"] * 3})
    tables["sets"] = pd.concat([tables["sets"], more.assign(sampled=more["id"] == 94)])
    numbers = fig4.draw(tables, WEIGHTS).numbers
    assert (numbers["n_memorized"], numbers["n_non_memorized"]) == (3, 4)
    numbers = fig9.draw(tables, WEIGHTS).numbers
    assert [found["n"] for found in numbers["groups"].values()] == [4, 3, 3, 3]


def test_figure_9_gives_sums_and_warns_of_bins_of_different_sizes():
    tables = weights()
    rows = tables["parameter_gradients"]
    rows["sum_abs"] = np.where(rows["component"].str.startswith("W_i"), 9.0, 1.0) * (3 - 2 * rows["layer"])
    drawing = fig9.draw(tables, WEIGHTS)
    found = drawing.numbers["groups"]["memorized"]
    assert found["sum"] == pytest.approx(4 * (12 + 9 + 1)) != rows["max_abs"].sum()
    assert found["lower"] == pytest.approx(3 / 4)
    assert "differ in size" not in checked("fig9", drawing)
    tables["sets"] = tables["sets"].iloc[1:]
    assert "differ in size" in checked("fig9", fig9.draw(tables, WEIGHTS))


def test_bins_without_paragraphs_are_left_out():
    tables = weights()
    tables["parameter_gradients"] = tables["parameter_gradients"].query("group != 'partly_30_49'")
    groups = fig9.draw(tables, WEIGHTS).numbers["groups"]
    assert list(groups) == ["non_memorized", "partly_11_29", "memorized"]


PLACES = [(group, role) for role in ("perturbed", "impact") for group in ("memorized", "perturbed")]


def test_figure_10_averages_paragraphs_and_gives_both_positions_of_a_group_one_scale():
    """Pairs whose two positions are one are left out: paragraph 21."""
    tables = made_up()
    drawing = fig10.draw(tables, SETTINGS)
    limits, every = {}, tables["impact_gradients"]
    for axes, (group, role) in zip(panels(drawing), PLACES, strict=True):
        rows = every[(every["group"] == group) & (every["role"] == role) & (every["id"] != 21)]
        means = rows.groupby(["component", "layer", "head"])["max_abs"].mean()
        np.testing.assert_allclose(map_values(axes), np.hstack([means["k"].unstack(), means["q"].unstack()]))
        limits.setdefault(group, set()).add(axes.collections[0].get_clim())
    largest = drawing.data.groupby("group")["max_abs"].max()
    assert limits == {group: {(0, largest[group])} for group in limits}
    assert "In the other 1 the replaced token" in checked("fig10", drawing)
    tables["impact_gradients"] = tables["impact_gradients"].query("id == 21")
    assert "In the other" not in checked("fig10", fig10.draw(tables, SETTINGS))
