"""Figures of gradients: what is plotted and said of tables."""

import numpy as np
import pandas as pd
from figure_labels import checked
from made_activations import SETTINGS, components, made_up

from memloc.figures import fig9, fig10

GROUPS = ("memorized", "non_memorized", "partly_11_29", "partly_30_49")


def weights() -> dict[str, pd.DataFrame]:
    """Tables of random gradients of weights, of three paragraphs in each group."""
    heads = dict.fromkeys(("W_Q", "W_K", "W_V", "W_O"), 3) | {"W_in": None, "W_out": None}
    base = components(2, heads)
    size = np.random.default_rng(0).gamma(1.0, 1e-3, (len(GROUPS), len(base)))
    frames = [
        base.assign(group=group, max_abs=own, sum_abs=40 * own, n_weights=64)
        for group, own in zip(GROUPS, size, strict=True)
    ]
    sets = {"id": range(12), "set": np.repeat(GROUPS, 3), "sampled": True}
    return {"parameter_gradients": pd.concat(frames, ignore_index=True), "sets": pd.DataFrame(sets)}


def test_figure_9_warns_of_bins_of_different_sizes():
    tables = weights()
    assert "differ in size" not in checked("fig9", fig9.draw(tables, SETTINGS))
    tables["sets"] = tables["sets"].iloc[1:]
    assert "differ in size" in checked("fig9", fig9.draw(tables, SETTINGS))


def test_bins_without_paragraphs_are_left_out():
    tables = weights()
    tables["parameter_gradients"] = tables["parameter_gradients"].query("group != 'partly_30_49'")
    groups = fig9.draw(tables, SETTINGS).numbers["groups"]
    assert list(groups) == ["non_memorized", "partly_11_29", "memorized"]


def test_figure_10_says_which_pairs_are_left_out():
    """Those whose two positions are one: paragraph 21."""
    tables = made_up()
    assert "In the others the replaced token" in checked("fig10", fig10.draw(tables, SETTINGS))
    tables["impact_gradients"] = tables["impact_gradients"].query("id == 21")
    assert "In the other" not in checked("fig10", fig10.draw(tables, SETTINGS))
