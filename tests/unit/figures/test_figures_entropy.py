"""The entropy of attention on made-up tables: which heads differ between the sets, and how clearly."""

import numpy as np
import pandas as pd
import pytest
from drawn_parts import is_red_above_zero, outlined
from made_activations import N_PREFIX, SETTINGS, crossed, made_up, map_values, panels
from scipy import optimize, stats

from memloc.figures import attention_entropy


def test_entropy_of_sets_is_compared_head_by_head():
    rng = np.random.default_rng(0)
    entropy = crossed(id=range(40), layer=range(2), head=range(3))
    entropy["set"] = np.where(entropy["id"] < 15, "memorized", "non_memorized")
    entropy["entropy"] = rng.normal(2, 0.1, len(entropy))
    shifted = (entropy["layer"] == 1) & (entropy["head"] == 2) & (entropy["set"] == "memorized")
    entropy.loc[shifted, "entropy"] -= 1
    data = attention_entropy.compare_heads(entropy)
    assert data.index[data["clear"]].tolist() == [(1, 2)]
    assert data.loc[(1, 2), "low"] < data.loc[(1, 2), "difference"] < data.loc[(1, 2), "high"] < 0
    a, b = (
        entropy[(entropy["layer"] == 0) & (entropy["head"] == 1) & (entropy["set"] == name)].entropy
        for name in ("memorized", "non_memorized")
    )
    assert data.loc[(0, 1), "difference"] == pytest.approx(a.mean() - b.mean())
    assert data.loc[(0, 1), "p_value"] == pytest.approx(stats.ttest_ind(a, b, equal_var=False).pvalue)
    assert data.loc[(0, 1), ["n_memorized", "n_non_memorized"]].tolist() == [15, 25]


def test_entropies_of_five_paragraphs_say_nothing():
    entropy = crossed(id=range(10), layer=range(2), head=range(3))
    entropy["set"] = np.where(entropy["id"] < 5, "memorized", "non_memorized")
    apart = (entropy["set"] == "memorized") + 0.001 * entropy["id"]
    assert not attention_entropy.compare_heads(entropy.assign(entropy=apart))["clear"].any()


def test_a_difference_is_clear_beyond_the_correction_for_all_heads():
    """p of one head is about 0.02: below the level by itself, and not among 24 heads."""
    entropy = crossed(id=range(40), layer=range(4), head=range(6))
    entropy["set"] = np.where(entropy["id"] < 20, "memorized", "non_memorized")
    values = np.random.default_rng(1).normal(size=40)
    values[:20] += values[20:].mean() - values[:20].mean() + 0.75 * values.std()
    data = attention_entropy.compare_heads(entropy.assign(entropy=values[entropy["id"]]))
    assert (data["p_value"] < 0.05).all() and not data["clear"].any()


@pytest.mark.parametrize(("p_value", "clear"), [(0.049, True), (0.051, False)])
def test_a_difference_is_clear_below_five_percent(p_value, clear):
    """One head, so that there is nothing to correct for."""
    first, second = np.random.default_rng(1).normal(size=(2, 20))
    first += second.mean() - first.mean()
    shift = optimize.brentq(
        lambda apart: stats.ttest_ind(first + apart, second, equal_var=False).pvalue - p_value, 0, 3
    )
    entropy = crossed(layer=[0], head=[0], id=range(40)).assign(entropy=[*(first + shift), *second])
    entropy["set"] = np.where(entropy["id"] < 20, "memorized", "non_memorized")
    assert attention_entropy.compare_heads(entropy)["clear"].item() == clear


def test_entropy_dots_lie_in_their_cells():
    tables = made_up(3, 4)
    frame = crossed(id=range(16), layer=range(3), head=range(4))
    noise = np.random.default_rng(0).normal(0, 1e-3, len(frame))
    planted = (frame["layer"] == 2) & (frame["head"] == 1) & (frame["id"] < 8)
    tables["attention_entropy"] = frame.assign(entropy=1 + noise - planted)
    tables["sets"] = pd.DataFrame({"id": range(16), "set": ["memorized"] * 8 + ["non_memorized"] * 8})
    drawing = attention_entropy.draw(tables, SETTINGS)
    left, right = panels(drawing)
    bars = [axes.get_ylabel() for axes in drawing.figure.axes if axes.get_label() == "<colorbar>"]
    assert bars == ["entropy (nats)", "difference (nats)"]
    assert [axes.get_title(loc="left") for axes in (left, right)] == ["a", "b"]
    assert [label.get_text() for label in left.get_xticklabels()] == ["memorized", "non-memorized"]
    assert outlined(left) == [(2, 1), (6, 1)] and outlined(right) == [(2, 1)]
    assert is_red_above_zero(right.collections[0])
    dots = next(line for line in right.lines if line.get_marker() == "o")
    assert dots.get_xydata().tolist() == [[1.5, 2]]
    assert map_values(right)[2, 1] == pytest.approx(-1, abs=0.01)


def test_entropy_numbers_tell_narrower_heads_from_more_even_ones():
    tables = made_up(2, 3)
    frame = crossed(id=range(20), layer=range(2), head=range(3))
    noise = np.random.default_rng(0).normal(0, 1e-3, len(frame))
    memorized = frame["id"] < 8
    shift = pd.Series(0.0, frame.index)
    for (layer, head), value in {(0, 1): -0.5, (1, 0): 0.2, (1, 2): 0.45}.items():
        shift[(frame["layer"] == layer) & (frame["head"] == head) & memorized] = value
    tables["attention_entropy"] = frame.assign(entropy=1 + noise + shift)
    tables["sets"] = pd.DataFrame({"id": range(20), "set": ["memorized"] * 8 + ["non_memorized"] * 12})
    drawing = attention_entropy.draw(tables, SETTINGS)
    numbers = drawing.numbers
    assert (numbers["n_lower"], numbers["n_higher"]) == (1, 2)
    assert (numbers["n_memorized"], numbers["n_non_memorized"]) == (8, 12)
    extreme = numbers["extreme"]
    assert (extreme["layer"], extreme["head"], extreme["value"].n) == (0, 1, 8)
    assert extreme["value"].value == pytest.approx(-0.5, abs=0.01)
    assert extreme["value"].low < extreme["value"].value < extreme["value"].high < -0.49
    assert numbers["maximum"] == pytest.approx(np.log(N_PREFIX + 1))
    assert numbers["highlighted"]["memorized"] == pytest.approx(1.45, abs=0.01)
    assert numbers["mean_memorized"] == pytest.approx(1 + 0.15 / 6, abs=2e-3)
    assert numbers["mean_non_memorized"] == pytest.approx(1, abs=2e-3)
    assert (numbers["n_heads"], numbers["layer"], numbers["head"], numbers["level"]) == (6, 1, 2, 0.05)
    assert numbers["highlighted"]["non_memorized"] == pytest.approx(1, abs=0.01)
    left = panels(drawing)[0].collections[0]
    assert left.get_array()[0].tolist() == pytest.approx(
        [1, 0.5, 1, 1, 1, 1], abs=0.01
    )  # memorized come first
    assert left.get_clim() == (0, left.get_array().max())
    written = drawing.data.set_index(["layer", "head"])["difference"]
    assert written[0, 1] == extreme["value"].value
