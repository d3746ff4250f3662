"""Figures of gradients: what is plotted and said of tables."""

import numpy as np
import pandas as pd
import pytest
from drawn_parts import lying_bars
from figure_labels import checked
from made_activations import SETTINGS, components, made_up, map_values, panels
from made_settings import changed

from memloc.figures import fig4, fig9, fig10
from memloc.figures.parts.gradient_summary import lower_share
from memloc.figures.parts.heatmap import layer_matrix

GROUPS = ("memorized", "non_memorized", "partly_11_29", "partly_30_49", "contrastive")
WEIGHTS = changed(SETTINGS, contrastive={"reference": True})


def weights(n_layers: int = 2, n_heads: int = 3) -> dict[str, pd.DataFrame]:
    """Tables of random gradients of weights."""
    heads = {"W_Q": n_heads, "W_K": n_heads, "W_V": n_heads, "W_O": n_heads, "W_in": None, "W_out": None}
    rng, base = np.random.default_rng(0), components(n_layers, heads)
    frames = []
    for group in GROUPS:
        size = rng.gamma(1.0, 1e-3, len(base))
        norm = size * 2 if group == "contrastive" else np.nan
        more = {"max_abs": size, "sum_abs": 40 * size, "n_weights": 64, "nll_term_norm": norm}
        frames.append(base.assign(group=group, **more, kl_term_norm=norm * 1e-6))
    names = np.repeat(GROUPS[:4], 3)
    return {
        "parameter_gradients": pd.concat(frames, ignore_index=True),
        "sets": pd.DataFrame({"id": range(len(names)), "set": names, "sampled": True}),
    }


def maps(drawing, n):
    """Values of each map, and lengths of the bars of each kind beside it."""
    axes = panels(drawing)
    bars = [[kind[:, 1].tolist() for kind in lying_bars(right)] for right in axes[1 : 2 * n : 2]]
    return [map_values(left) for left in axes[: 2 * n : 2]], bars


def test_figure_4_plots_each_group_and_its_layer_sums():
    tables = weights(4, 8)
    shown, bars = maps(fig4.draw(tables, WEIGHTS), 3)
    for group, values, (lengths,) in zip(fig4.GROUPS, shown, bars, strict=True):
        rows = tables["parameter_gradients"][tables["parameter_gradients"]["group"] == group]
        np.testing.assert_array_equal(values, layer_matrix(rows, "max_abs"))
        assert lengths == pytest.approx(rows.groupby("layer")["max_abs"].sum().tolist())


def test_figure_4_gives_the_numbers_of_the_run():
    tables = weights(4, 8)
    frame = tables["parameter_gradients"]
    frame[["max_abs", "sum_abs"]] = [1.0, 10.0]
    memorized = frame["group"] == "memorized"
    frame.loc[memorized & (frame["layer"] < 2), ["max_abs", "sum_abs"]] = [3.0, 30.0]
    frame.loc[frame["group"] == "non_memorized", "sum_abs"] = 70.0
    culprit = memorized & (frame["layer"] == 0) & (frame["component"] == "W_V") & (frame["head"] == 5)
    frame.loc[culprit, "max_abs"] = 4.0
    drawing = fig4.draw(tables, WEIGHTS)
    numbers, found = drawing.numbers, drawing.numbers["groups"]["memorized"]
    assert found["strongest"] == "W_V of head 5 in layer 0"
    assert (found["place"], numbers["n_heads"]) == (2, 32)
    assert found["lower"] == pytest.approx((2 * 34 * 3 + 1) / (2 * 34 * 4 + 1))
    assert numbers["ratio"] == pytest.approx(3.5) and checked("fig4", drawing)
    assert lower_share(pd.DataFrame({"layer": range(5), "size": 1.0}), "size") == pytest.approx(2 / 5)


def test_figure_9_sums_attention_and_mlp_weights_of_every_layer():
    tables = weights()
    drawing = fig9.draw(tables, WEIGHTS)
    shown, bars = maps(drawing, 4)
    for group, values, both in zip(drawing.numbers["groups"], shown, bars, strict=True):
        rows = tables["parameter_gradients"][tables["parameter_gradients"]["group"] == group]
        np.testing.assert_array_equal(values, layer_matrix(rows, "max_abs"))
        attention = rows["component"].isin(["W_Q", "W_K", "W_V", "W_O"])
        for chosen, lengths in zip((attention, ~attention), both, strict=True):
            sums = [rows.loc[chosen & (rows["layer"] == layer), "sum_abs"].sum() for layer in range(2)]
            assert lengths == pytest.approx(sums)


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
    assert "Left out: 1 with" in checked("fig10", drawing)
    tables["impact_gradients"] = tables["impact_gradients"].query("id == 21")
    assert "Left out" not in checked("fig10", fig10.draw(tables, SETTINGS))


def test_figure_10_compares_the_groups_and_names_the_strongest():
    tables = made_up(3)
    frame = tables["impact_gradients"]
    strongest = dict(zip(PLACES, [("k", 0, 1), ("q", 1, 0), ("q", 2, 3), ("k", 0, 2)], strict=True))
    frame["max_abs"] = np.where(frame["role"] == "impact", 20.0, 10.0)
    frame.loc[frame["group"] == "memorized", "max_abs"] = 1.0
    for (group, role), (component, layer, head) in strongest.items():
        labels = frame[["group", "role", "component", "layer", "head"]].astype(object)
        frame.loc[(labels == [group, role, component, layer, head]).all(axis=1), "max_abs"] *= 5
    frame.loc[frame["id"] == 21, "max_abs"] *= 3
    numbers = fig10.draw(tables, SETTINGS).numbers
    for (group, role), (component, layer, head) in strongest.items():
        assert numbers["strongest"][group][role] == f"{component} of head {head} in layer {layer}"
    assert numbers["ratio"] == pytest.approx({"perturbed": 10, "impact": 20})
