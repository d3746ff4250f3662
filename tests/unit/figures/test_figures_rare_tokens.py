"""Figure 7 and the rare-token correlation of every head: plotted numbers, captions, readable labels."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from drawn_parts import is_red_above_zero, legend_of, letters_of, outlined
from figure_labels import clipped_labels, drawn_labels, overlapping_labels
from matplotlib.collections import QuadMesh
from matplotlib.colors import to_hex

from memloc.figures import fig7, rare_token_heads, token_attention
from memloc.figures.parts.style import COLOURS
from memloc.run.templates import fill
from memloc.settings.sections import sections

REPORT = Path(__file__).parents[3] / "workflow" / "report"
SETTINGS = sections({"highlight": {"layer": 1, "head": 2}})
MEASURES = ("pearson", "spearman", "kendall")
N_RANKS = 40


def made_up(n_layers: int = 3, n_heads: int = 5) -> dict[str, pd.DataFrame]:
    """Tables in which no head is correlated: all correlations are -0.1 within a null of -0.5 to 0.3."""
    random = np.random.default_rng(0)
    layer, head, rank = (axis.ravel() for axis in np.indices((n_layers, n_heads, N_RANKS)))
    occurrences = (N_RANKS - rank) ** 2
    mean = random.uniform(0.01, 0.03, len(rank))
    by_rank = pd.DataFrame(
        {
            "layer": layer,
            "head": head,
            "rank": rank,
            "attention_sum": mean * occurrences,
            "attention_mean": mean,
            "occurrences": occurrences,
            **{
                f"attention_mean_null_q{q}": value
                for q, value in zip(("025", "500", "975"), (0.015, 0.02, 0.025), strict=True)
            },
        }
    )
    layer, head = (axis.ravel() for axis in np.indices((n_layers, n_heads)))
    correlation = pd.DataFrame({"layer": layer, "head": head})
    for name in (*MEASURES, *(f"{measure}_mean" for measure in MEASURES)):
        correlation[name] = -0.1
        for quantile, value in (("025", -0.5), ("500", -0.1), ("975", 0.3)):
            correlation[f"{name}_null_q{quantile}"] = value
    tokens = pd.DataFrame(
        {"layer": 1, "head": 2, "place": np.arange(20) + 1, "token": np.arange(20)[::-1] + 5}
    )
    tokens = tokens.assign(
        attention_mean=0.5 - 0.02 * np.arange(20),
        attention_expected=0.02,
        occurrences=np.arange(20) % 7 + 5,
        count=10 ** (np.arange(20) % 4 + 1),
    )
    tokens = pd.concat([tokens, tokens.assign(head=1), tokens.assign(layer=0)])
    vocabulary = pd.DataFrame({"token": range(30), "text": [f" {'wide' * (i % 7)}{i}\n" for i in range(30)]})
    counts = {"n_paragraphs": 1000, "n_unique_tokens": 34562, "n_permutations": 200}
    return {
        "rare_tokens": by_rank,
        "rare_token_correlation": correlation.assign(**counts),
        "token_attention": tokens,
        "vocabulary": vocabulary,
    }


def set_correlation(tables, layer, head, name, value):
    table = tables["rare_token_correlation"]
    table.loc[(table["layer"] == layer) & (table["head"] == head), name] = value


def caption(module, drawing) -> str:
    """The filled caption on one line."""
    template = (REPORT / f"{module.__name__.split('.')[-1]}.rst").read_text()
    return " ".join(fill(template, drawing.numbers | {"study": "made up"}).split())


@pytest.mark.parametrize(("n_layers", "n_heads"), [(2, 4), (4, 8), (12, 12)])
@pytest.mark.parametrize("module", [fig7, rare_token_heads, token_attention])
def test_labels_are_readable(module, n_layers, n_heads):
    drawing = module.draw(made_up(n_layers, n_heads), SETTINGS)
    assert clipped_labels(drawing.figure) == []
    assert overlapping_labels(drawing.figure) == []
    assert "made up" in caption(module, drawing)


def test_fig7_plots_every_head_of_the_highlighted_layer_only():
    tables = made_up()
    drawing = fig7.draw(tables, SETTINGS)
    left = drawing.figure.axes[0], drawing.figure.axes[2]
    rows = tables["rare_tokens"].query("layer == 1")
    names = ["attention, summed over paragraphs", "attention, mean per occurrence"]
    assert [axes.get_ylabel() for axes in left] == names
    assert list(legend_of(left[0])) == ["null of head 2 (95 %)", "head 2"]
    assert legend_of(left[0])["head 2"] == COLOURS["memorized"]
    for axes, measure in zip(left, ("attention_sum", "attention_mean"), strict=True):
        assert len(axes.lines) == 5 and axes.get_xlabel() == "rank of the token (0 = rarest)"
        assert axes.get_ylim() == pytest.approx((0, 1.1 * rows[measure].max()))
        for line, (_, of_head) in zip(axes.lines, rows.groupby("head"), strict=True):
            np.testing.assert_allclose(line.get_ydata(), of_head[measure])
            assert line.get_xdata().tolist() == list(range(N_RANKS))
    assert set(drawing.data["layer"]) == {1} and letters_of(drawing.figure) == "abcd"
    assert len(drawing.data) == 5 * N_RANKS


def test_null_of_the_sum_is_that_of_the_mean_times_the_occurrences():
    drawing = fig7.draw(made_up(), SETTINGS)
    np.testing.assert_allclose(drawing.data["attention_sum_null_q975"], 0.025 * drawing.data["occurrences"])


def test_fig7_lists_the_correlation_of_every_head():
    tables = made_up()
    for head, value in enumerate((-0.11, -0.22, -0.97, -0.44, 0.55)):
        set_correlation(tables, 1, head, "pearson", value)
    texts = [text for text, _ in drawn_labels(fig7.draw(tables, SETTINGS).figure)]
    for shown in ("\u22120.11", "\u22120.22", "\u22120.97", "\u22120.44", "0.55"):
        assert shown in texts


def test_caption_of_fig7_gives_places_and_nulls_of_the_layer_and_decides_nothing():
    tables = made_up()
    for head in range(5):
        set_correlation(tables, 1, head, "pearson", -0.97 + 0.01 * head)
    set_correlation(tables, 1, 2, "pearson_mean", -0.9)
    set_correlation(tables, 0, 1, "pearson", -0.99)  # of another layer
    set_correlation(tables, 1, 4, "pearson_mean", -0.49)  # within the null
    drawing = fig7.draw(tables, SETTINGS)
    text = " ".join(caption(fig7, drawing).split())
    assert "correlates at -0.950, number 3 of 5 in its layer (first: head 0, -0.970; second: -0.960)" in text
    assert "would still be -0.50 to 0.30" in text and "5 of the 5 heads are below their null" in text
    assert "correlates at -0.90, number 1 of 5 (first: head 2, -0.90)" in text
    assert "and 1 of the 5 heads are below theirs" in text
    assert not any(word in text for word in ("holds", "claim", "chance"))


def test_fig7_has_no_second_head_in_a_layer_of_one():
    drawing = fig7.draw(made_up(2, 1), sections({"highlight": {"layer": 1, "head": 0}}))
    assert "number 1 of 1 in its layer (first: head 0, -0.100)." in caption(fig7, drawing)


def test_fig7_shows_the_null_of_the_highlighted_head_and_counts_occurrences():
    tables = made_up()
    rows = tables["rare_tokens"]
    rows.loc[rows["head"] == 2, "attention_mean_null_q025"] = 0.005
    drawing = fig7.draw(tables, SETTINGS)
    for axes, scale in (
        (drawing.figure.axes[0], (N_RANKS - np.arange(N_RANKS)) ** 2),
        (drawing.figure.axes[2], 1),
    ):
        band = axes.collections[0].get_paths()[0].vertices
        low, high = (band[band[:, 0] == 3][:, 1].min(), band[band[:, 0] == 3][:, 1].max())
        at = scale[3] if np.ndim(scale) else scale
        assert (low, high) == pytest.approx((0.005 * at, 0.025 * at))
        assert [str(line.get_color()) == COLOURS["memorized"] for line in axes.lines] == [
            False,
            False,
            True,
            False,
            False,
        ]
    numbers = drawing.numbers
    assert (numbers["max_rank"], numbers["occurrences_first"], numbers["occurrences_last"]) == (39, 1600, 1)
    assert (numbers["n_paragraphs"], numbers["n_unique_tokens"], numbers["n_permutations"]) == (
        1000,
        34562,
        200,
    )


def test_fig7_draws_each_heads_null_and_correlation_in_its_row():
    tables = made_up()
    set_correlation(tables, 1, 3, "pearson_mean_null_q025", -0.8)
    set_correlation(tables, 1, 3, "pearson_mean", 0.6)
    set_correlation(tables, 1, 0, "pearson", 0.2)
    _, above, _, right = fig7.draw(tables, SETTINGS).figure.axes
    assert above.collections[0].get_offsets().tolist()[:2] == [[0.2, 0], [-0.1, 1]]
    shown = {text.get_position()[1]: text.get_text() for text in right.texts}
    assert shown == {head: "0.60" if head == 3 else "\u22120.10" for head in range(5)}
    dots = right.collections[0].get_facecolors()
    assert [to_hex(dot) == COLOURS["memorized"] for dot in dots] == [False, False, True, False, False]
    assert right.lines[0].get_xdata() == [0, 0] and right.get_xlabel().startswith("Pearson correlation")
    assert right.get_ylabel() == "head"
    bars = {bar.get_y() + 0.3: (bar.get_x(), bar.get_x() + bar.get_width()) for bar in right.patches}
    assert bars[3] == pytest.approx((-0.8, 0.3)) and bars[1] == pytest.approx((-0.5, 0.3))
    assert right.collections[0].get_offsets().tolist()[3] == [0.6, 3]
    assert right.get_ylim() == (4.5, -0.5)


def test_numbers_of_all_heads_are_counted_by_layer():
    tables = made_up()
    for layer, head in ((0, 1), (0, 3), (2, 2)):
        set_correlation(tables, layer, head, "pearson_mean", -0.9 - 0.01 * layer)
    set_correlation(tables, 1, 2, "pearson_mean", -0.2)
    set_correlation(tables, 2, 0, "pearson_mean", 0.5)
    numbers = rare_token_heads.draw(tables, SETTINGS).numbers
    mean = numbers["mean"]
    assert (mean["lowest_layer"], mean["lowest_head"], mean["lowest"]) == (2, 2, -0.92)
    assert (mean["n_below"], mean["n_above"], mean["layers_below"]) == (3, 1, "layer 0: 2, layer 2: 1")
    assert (mean["value"], mean["place"]) == (-0.2, 4)
    assert (numbers["n_heads"], numbers["n_by_chance"]) == (15, 0.75)
    assert (numbers["layer"], numbers["head"], numbers["n_permutations"]) == (1, 2, 200)


def test_tokens_of_the_highlighted_head_are_shown_in_order_with_their_texts():
    tables = made_up()
    other = (tables["token_attention"]["head"] != 2) | (tables["token_attention"]["layer"] != 1)
    tables["token_attention"].loc[other, "attention_mean"] = 0.9
    tables["token_attention"]["attention_expected"] = 0.001 * tables["token_attention"]["place"]
    shuffled = tables | {"token_attention": tables["token_attention"].sample(frac=1, random_state=0)}
    drawing = token_attention.draw(shuffled, SETTINGS)
    left, right = drawing.figure.axes
    assert [bar.get_width() for bar in left.patches] == pytest.approx(0.5 - 0.02 * np.arange(20))
    assert [bar.get_y() + bar.get_height() / 2 for bar in left.patches] == pytest.approx(range(20))
    expected = np.column_stack([0.001 * np.arange(1, 21), range(20)])
    assert left.lines[0].get_xydata() == pytest.approx(expected)
    assert list(legend_of(left)) == ["if tokens exchange it", "head 2"]
    assert left.get_xlabel() == "attention, mean per occurrence"
    assert [axes.get_title(loc="left") for axes in (left, right)] == ["a", "b"]
    assert left.get_yticklabels()[0].get_text() == "\u2423widewidewide24\u21b5"
    assert left.yaxis_inverted()
    counts = {line.get_label(): line.get_xdata()[:3].tolist() for line in right.lines}
    assert counts == {"in the prefixes": [5, 6, 7], "in all paragraphs": [10, 100, 1000]}
    assert list(legend_of(right)) == list(counts)
    assert all(line.get_ydata().tolist() == list(range(20)) for line in right.lines)
    assert [line.get_markerfacecolor() == "white" for line in right.lines] == [False, True]
    assert (right.get_xscale(), right.get_xlabel()) == ("log", "occurrences")
    assert drawing.numbers["fewest"] == 5 and drawing.numbers["last"] == pytest.approx(0.12)
    assert "\u2423widewidewide24" in caption(token_attention, drawing).replace("\\", "")


def test_numbers_of_the_tokens_that_a_head_attends_to_most():
    rows = made_up()["token_attention"].query("layer == 1 and head == 2").assign(text="x")
    rows = rows.assign(attention_expected=np.linspace(0, 0.2, 20), count=[1] * 11 + [1000] * 9)
    numbers = token_attention._numbers(rows, 1, 2)
    assert (numbers["first"], numbers["expected"]) == pytest.approx((0.5, 0.1))
    assert (numbers["layer"], numbers["head"]) == (1, 2)
    assert (numbers["last"], numbers["fewest"]) == (pytest.approx(0.12), 5)
    assert (numbers["median_count"], numbers["n_tokens"], len(numbers["tokens"])) == (1, 20, 5)


def test_no_token_may_occur_often_enough():
    tables = made_up()
    drawing = token_attention.draw(tables | {"token_attention": tables["token_attention"].iloc[:0]}, SETTINGS)
    assert "No token occurs often enough" in caption(token_attention, drawing)
    assert drawing.numbers == {"layer": 1, "head": 2, "n_tokens": 0}


def test_map_holds_the_correlations_and_marks_heads_beyond_their_null():
    tables = made_up()
    set_correlation(tables, 0, 1, "pearson", -0.97)
    set_correlation(tables, 2, 4, "pearson", 0.8)
    set_correlation(tables, 2, 0, "kendall_mean", 0.31)
    for head, within_null in ((0, 0.29), (3, -0.49)):
        set_correlation(tables, 1, head, "pearson", within_null)
    drawing = rare_token_heads.draw(tables, SETTINGS)
    summed, mean = drawing.figure.axes[:2]
    (mesh,) = (artist for artist in summed.collections if isinstance(artist, QuadMesh))
    values = mesh.get_array().reshape(3, 15)
    assert values[0, 1] == -0.97
    assert values[2, 4] == 0.8
    assert (values[:, 5:] == -0.1).all()
    assert mesh.get_clim() == (-1, 1)
    titles = ["attention summed over paragraphs", "mean attention per occurrence"]
    assert [axes.get_title() for axes in (summed, mean)] == titles
    assert outlined(summed) == outlined(mean) == [(2, 1), (7, 1), (12, 1)] and is_red_above_zero(mesh)
    (below,) = (artist for artist in mean.collections if isinstance(artist, QuadMesh))
    assert below.get_array()[2, 10] == 0.31 and below.get_array()[0, 1] == -0.1
    assert [axes.get_title(loc="left") for axes in (summed, mean)] == ["a", "b"]
    bars = [axes.get_ylabel() for axes in drawing.figure.axes[2:]]
    assert bars == ["correlation with the rank"] * 2
    labels = [label.get_text() for label in summed.get_xticklabels()]
    assert labels == ["Pearson", "Spearman", "Kendall"]
    down, up = (dots.get_offsets().tolist() for dots in summed.collections if not isinstance(dots, QuadMesh))
    assert (down, up) == ([[1.5, 0]], [[4.5, 2]])
    down, up = (dots.get_offsets().tolist() for dots in mean.collections if not isinstance(dots, QuadMesh))
    assert (down, up) == ([], [[10.5, 2]])
    assert drawing.numbers["sum"]["lowest_layer"] == 0
    assert drawing.numbers["sum"]["lowest_head"] == 1
    assert (drawing.numbers["sum"]["n_below"], drawing.numbers["sum"]["n_above"]) == (1, 1)
