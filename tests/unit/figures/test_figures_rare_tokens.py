"""Figure 7: plotted numbers, captions, readable labels."""

import numpy as np
import pandas as pd
import pytest
from drawn_parts import band_at, words
from figure_labels import checked
from made_tables import crossed

from memloc.figures import fig7
from memloc.settings.sections import sections

SETTINGS = sections({"highlight": {"layer": 1, "head": 2}})
N_RANKS = 40


def made_up(n_layers: int = 3, n_heads: int = 5) -> dict[str, pd.DataFrame]:
    """Tables in which no head is correlated: all correlations are -0.1 within a null of -0.5 to 0.3."""
    by_rank = crossed(layer=range(n_layers), head=range(n_heads), rank=range(N_RANKS))
    by_rank["attention_mean"] = np.random.default_rng(0).uniform(0.01, 0.03, len(by_rank))
    by_rank["occurrences"] = (N_RANKS - by_rank["rank"]) ** 2
    by_rank["attention_sum"] = by_rank["attention_mean"] * by_rank["occurrences"]
    counts = {"n_paragraphs": 1000, "n_unique_tokens": 34562, "n_permutations": 200}
    correlation = crossed(layer=range(n_layers), head=range(n_heads)).assign(**counts)
    for quantile, attention, pearson in (("025", 0.015, -0.5), ("500", 0.02, -0.1), ("975", 0.025, 0.3)):
        by_rank[f"attention_mean_null_q{quantile}"] = attention
        for name in ("pearson", "pearson_mean"):
            correlation[[name, f"{name}_null_q{quantile}"]] = -0.1, pearson
    return {"rare_tokens": by_rank, "rare_token_correlation": correlation}


def set_correlation(tables, layer, head, name, value):
    table = tables["rare_token_correlation"]
    table.loc[(table["layer"] == layer) & (table["head"] == head), name] = value


def test_caption_of_fig7_gives_the_place_of_the_head_and_decides_nothing():
    tables = made_up()
    for head in range(5):
        set_correlation(tables, 1, head, "pearson", -0.97 + 0.01 * head)
    set_correlation(tables, 1, 2, "pearson_mean", -0.9)
    set_correlation(tables, 0, 1, "pearson", -0.99)  # of another layer
    set_correlation(tables, 1, 4, "pearson_mean", -0.49)  # within the null
    drawing = fig7.draw(tables, SETTINGS)
    text = checked("fig7", drawing)
    assert "the judged head (diamond), 2, has -0.90 and place 1 of 5; 1 of 5 heads" in text


def test_fig7_shows_the_head_that_claims_judge_which_this_method_did_not_choose():
    firsts = {"parameter_gradient": (2, 3), "rare_tokens": (0, 0), "combined": (0, 0)}
    ranking = crossed(method=list(firsts), layer=range(3), head=range(5))
    rows = zip(ranking["method"], ranking["layer"], ranking["head"], strict=True)
    ranking["rank"] = [1 if firsts[method] == (layer, head) else 2 for method, layer, head in rows]
    drawing = fig7.draw(made_up() | {"head_ranking": ranking}, sections({"highlight": "auto"}))
    named = ["head of interest: 0 of layer 0", "judged here: 3 of layer 2"]
    assert words(drawing.figure.legends[0].texts) == named
    assert "the heads of layer 2" in (text := checked("fig7", drawing)) and "(diamond), 3," in text


def test_fig7_has_no_second_head_in_a_layer_of_one():
    drawing = fig7.draw(made_up(2, 1), sections({"highlight": {"layer": 1, "head": 0}}))
    assert "place 1 of 1" in checked("fig7", drawing)


def test_labels_are_readable_in_a_larger_model():
    assert checked("fig7", fig7.draw(made_up(12, 12), SETTINGS))


def test_fig7_plots_every_head_of_the_highlighted_layer_and_its_null():
    """The null of the sum is that of the mean times the occurrences."""
    tables = made_up()
    rows = tables["rare_tokens"]
    rows.loc[rows["head"] == 2, "attention_mean_null_q025"] = 0.005
    drawing = fig7.draw(tables, SETTINGS)
    own = rows.query("layer == 1")
    for axes, measure, times in (
        (drawing.figure.axes[0], "attention_sum", (N_RANKS - 3) ** 2),
        (drawing.figure.axes[2], "attention_mean", 1),
    ):
        for line, (head, of_head) in zip(axes.lines, own.groupby("head"), strict=True):
            np.testing.assert_allclose(line.get_ydata(), of_head[measure])
            assert (line.get_marker() == "D") == (str(line.get_color()) == "black") == (head == 2)
        assert band_at(axes.collections[0], 3) == pytest.approx((0.005 * times, 0.025 * times))


def test_fig7_draws_each_heads_null_and_correlation_in_its_row():
    tables = made_up()
    set_correlation(tables, 1, 3, "pearson_mean_null_q025", -0.8)
    set_correlation(tables, 1, 3, "pearson_mean", 0.6)
    set_correlation(tables, 1, 0, "pearson", 0.2)
    _, above, _, right = fig7.draw(tables, SETTINGS).figure.axes
    assert above.collections[0].get_offsets().tolist()[:2] == [[0.2, 0], [-0.1, 1]]
    assert right.collections[0].get_offsets().tolist()[3] == [0.6, 3]
    shown = {text.get_position()[1]: text.get_text() for text in right.texts}
    assert shown == {head: "0.60" if head == 3 else "\u22120.10" for head in range(5)}
    bars = {bar.get_y() + 0.3: (bar.get_x(), bar.get_x() + bar.get_width()) for bar in right.patches}
    assert bars[3] == pytest.approx((-0.8, 0.3)) and bars[1] == pytest.approx((-0.5, 0.3))
    assert right.get_ylim() == (4.5, -0.5)
