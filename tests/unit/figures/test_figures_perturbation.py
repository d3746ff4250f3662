"""Figure 3, Table 2 and their example on small tables: the plotted numbers, the captions, readable labels."""

import re
from pathlib import Path

import docutils.core
import numpy as np
import pandas as pd
import pytest
from drawn_parts import band_at, colour_of, column_of
from figure_labels import clipped_labels, overlapping_labels
from matplotlib import pyplot as plt
from matplotlib.colors import to_hex
from scipy.stats import spearmanr

from memloc.figures import fig3, table2
from memloc.figures.parts.perturbation_example import draw_example, example_ids
from memloc.figures.parts.style import COLOURS, subplots
from memloc.figures.parts.text_table import Piece, draw_table, wrap
from memloc.figures.parts.token_map import label
from memloc.perturbation.effects import em_drops
from memloc.run.templates import fill, quoted
from memloc.settings.sections import sections
from memloc.statistics import uncertainty

REPORT = Path(__file__).parents[3] / "workflow" / "report"
N_PREFIX, N_TOKENS, N_WORDS = 10, 18, 40
FULL = N_TOKENS - N_PREFIX
SETTINGS = sections({"paragraph": {"prefix": N_PREFIX, "length": N_TOKENS}})
SPECIAL = [" ``", "*", "\n\n", "`_", "|x|", "\\"]  # text that could be markup


def perturbation_table(em, group="memorized", first_id=0, full=FULL):
    """Rows of paragraphs with em[paragraph][position][draw]; NLL is what is missing to a full match."""
    rows = []
    for number, by_position in enumerate(em):
        labels = {"id": first_id + number, "set": group}
        rows.append(labels | {"position": -1, "draw": 0, "token": -1, "em": full})
        for position, by_draw in enumerate(by_position):
            for draw, value in enumerate(by_draw):
                rows.append(labels | {"position": position, "draw": draw, "token": 20 + draw, "em": value})
    frame = pd.DataFrame(rows)
    return frame.assign(nll_original=(full - frame["em"]) / 2 + 0.25, nll_generated=np.nan, redecoded=False)


@pytest.fixture
def tables():
    """Four memorized and five non-memorized paragraphs, two draws, of which the latter lose more."""
    rng = np.random.default_rng(0)
    memorized = rng.integers(5, FULL + 1, (4, N_PREFIX, 2))
    memorized[2, 3, 1] = 0
    memorized[1, 6, 0] = 1
    other = rng.integers(0, 5, (5, N_PREFIX, 2))
    words = [f" word{number}" for number in range(N_WORDS)]
    words[: len(SPECIAL)] = SPECIAL
    tokens = [rng.integers(0, N_WORDS, N_TOKENS) for _ in range(9)]
    return {
        "perturbation": pd.concat(
            [perturbation_table(memorized), perturbation_table(other, "non_memorized", first_id=4)]
        ),
        "paragraphs": pd.DataFrame({"id": range(9), "count": 1, "tokens": tokens, "text": ""}),
        "vocabulary": pd.DataFrame({"token": range(N_WORDS), "text": words}),
    }


@pytest.fixture
def pairs(tables):
    """Perturbed paragraphs 2 and 1, which change at once and after three tokens."""
    rows = []
    for name, position, impact in ((2, 3, N_PREFIX), (1, 9, N_PREFIX + 3)):
        tokens = tables["paragraphs"]["tokens"][name].copy()
        tokens[position] = (tokens[position] + 1) % N_WORDS
        tokens[impact:] = (tokens[impact:] + 1) % N_WORDS
        labels = {"id": name, "position": position, "token": tokens[position], "impact_position": impact}
        rows.append({**labels, "tokens": tokens, "em": impact - N_PREFIX, "nll": 0.5 + position})
    return tables | {"perturbed_paragraphs": pd.DataFrame(rows)}


def test_drop_is_taken_from_the_paragraphs_own_baseline():
    frame = pd.concat(
        [perturbation_table([[[3], [8]]]), perturbation_table([[[3], [8]]], first_id=1, full=9)]
    )
    assert em_drops(frame)["em_drop"].tolist() == [5, 0, 6, 1]


def test_examples_are_ordered_by_the_distance_of_their_strongest_token():
    em = [
        [[8], [8], [2], [8]],  # 0: position 2
        [[7], [0], [8], [0]],  # 1: position 1, the first of two
        [[4], [5], [8], [8]],  # 2: position 0, exactly half of the continuation
        [[5], [8], [8], [8]],  # 3: position 0, but weak
        [[8], [1], [8], [8]],  # 4: position 1, less than 1
    ]
    table = pd.concat([perturbation_table(em), perturbation_table([[[0]] * 4], "non_memorized", first_id=9)])
    assert example_ids({"perturbation": table}) == [2, 1, 4, 0, 3]
    assert example_ids({"perturbation": table.sample(frac=1, random_state=1)}) == [2, 1, 4, 0, 3]


def test_example_shows_mean_and_range_of_draws(tables):
    _, axes = subplots(nrows=2)
    data, numbers = draw_example(*axes, tables, 2, N_PREFIX)
    rows = tables["perturbation"].query("id == 2 and position >= 0").groupby("position")
    assert data["em_mean"].tolist() == rows["em"].mean().tolist()
    assert data["em_min"].tolist() == rows["em"].min().tolist()
    assert data["nll_max"].tolist() == rows["nll_original"].max().tolist()
    assert axes[1].lines[0].get_ydata().tolist() == rows["em"].mean().tolist()
    assert axes[0].lines[0].get_ydata().tolist() == rows["nll_original"].mean().tolist()
    assert [line.get_ydata()[0] for line in (axes[0].lines[1], axes[1].lines[1])] == [0.25, FULL]
    assert (numbers["position"], numbers["distance"]) == (3, N_PREFIX - 3)
    assert (numbers["em"], numbers["em_drop"]) == (0, FULL)
    assert (numbers["nll"], numbers["nll_unperturbed"]) == (FULL / 2 + 0.25, 0.25)
    assert (numbers["em_unperturbed"], numbers["n_positions"], numbers["id"]) == (FULL, N_PREFIX, 2)
    for each, column in zip(axes, ("nll_original", "em"), strict=True):
        ends = rows[column].agg(["min", "max"])
        bands = [band_at(each.collections[0], position) for position in range(N_PREFIX)]
        assert bands == list(ends.itertuples(index=False, name=None))
        drawn, dashed, upright = each.lines
        assert drawn.get_xdata().tolist() == list(range(N_PREFIX))
        assert (dashed.get_linestyle(), upright.get_xdata()) == ("--", [3, 3])
        assert (colour_of(drawn), colour_of(dashed)) == (COLOURS["perturbed"], COLOURS["memorized"])
    marked = [text.get_color() == COLOURS["perturbed"] for text in axes[1].get_xticklabels()]
    assert marked == [position == 3 for position in range(N_PREFIX)]


def test_example_says_what_its_tokens_do(tables):
    figure, axes = subplots(nrows=2)
    em = [[[FULL], [FULL - 1], [3], [FULL]] + [[FULL]] * (N_PREFIX - 5) + [[3]]]
    tables["perturbation"] = perturbation_table(em, first_id=2)
    _, numbers = draw_example(*axes, tables, 2, N_PREFIX)
    assert (numbers["n_without_effect"], numbers["n_as_much"]) == (N_PREFIX - 3, 2)
    texts = tables["vocabulary"]["text"]
    original = tables["paragraphs"]["tokens"][2]
    assert numbers["old"] == label(texts[original[2]]) and numbers["new"] == label(texts[20])
    marks = [text for text in axes[0].texts if text.get_text() == "\u25bc"]
    assert [mark.xy[0] for mark in marks] == [2]
    assert axes[1].lines[1].get_ydata()[0] == FULL  # unperturbed


def test_a_position_costs_what_its_costliest_draw_costs(tables):
    em = [[[FULL, 3], [3, FULL], [FULL - 1, FULL]] + [[FULL, FULL]] * (N_PREFIX - 3)]
    tables["perturbation"] = perturbation_table(em, first_id=2)
    _, numbers = draw_example(*subplots(nrows=2)[1], tables, 2, N_PREFIX)
    assert numbers["em_drop"] == FULL - 3
    assert (numbers["n_as_much"], numbers["n_without_effect"]) == (2, N_PREFIX - 3)


def test_figure_3_without_nll_of_perturbed_paragraphs(tables):
    table = tables["perturbation"]
    without = table.assign(nll_original=table["nll_original"].where(table["position"] < 0))
    drawing = fig3.draw({**tables, "perturbation": without}, SETTINGS)
    nll_axes, em_axes = drawing.figure.axes[:2]
    assert [text.get_text() for text in nll_axes.texts if "not computed" in text.get_text()]
    assert not [text for text in em_axes.texts if "not computed" in text.get_text()]
    text = fill((REPORT / "fig3.rst").read_text(), drawing.numbers)
    assert "not computed" in text and "(NLL nan)" not in text
    assert "not computed" not in fill((REPORT / "fig3.rst").read_text(), fig3.draw(tables, SETTINGS).numbers)


def test_figure_3_plots_mean_drops_per_position(tables):
    drawing = fig3.draw(tables, SETTINGS)
    assert set(drawing.data["panel"]) == {"a", "b"}
    drops = em_drops(tables["perturbation"])
    axes = drawing.figure.axes[2]
    for name, line in zip(fig3.SETS, axes.lines, strict=True):
        rows = drops[drops["set"] == name]
        expected = rows.groupby("position")["em_drop"].mean()
        assert line.get_ydata() == pytest.approx(expected.to_numpy())
        mean = drawing.numbers[name]["drop"].value
        assert mean == pytest.approx(rows["em_drop"].mean())
        half = N_PREFIX // 2
        late = expected.iloc[half:].mean() - expected.iloc[:half].mean()
        assert drawing.numbers[name]["late"].value == pytest.approx(late)
        assert drawing.numbers[name]["last"] == pytest.approx(expected.iloc[-1])
        assert drawing.numbers[name]["spearman"] == pytest.approx(
            spearmanr(range(N_PREFIX), expected).statistic
        )
        words = f"{mean:.1f} tokens per replaced token ({rows['id'].nunique()} paragraphs)"
        assert line.get_label() == f"{name.replace('_', '-')}: {words}"
        assert colour_of(line) == COLOURS[name] and line.get_xdata().tolist() == list(range(N_PREFIX))
    legend = [text.get_text() for text in axes.get_legend().get_texts()]
    assert legend == [line.get_label() for line in axes.lines] and axes.get_ylim()[0] == 0
    assert axes.get_ylabel() == "mean drop of exact match\n(tokens)"
    assert axes.get_xlim()[0] < 0 and axes.get_xlim()[1] > N_PREFIX - 1, "all positions are shown"
    assert [each.get_title(loc="left") for each in drawing.figure.axes] == ["a", "", "b"]
    assert drawing.numbers["difference"].value == pytest.approx(
        drawing.numbers["non_memorized"]["drop"].value - drawing.numbers["memorized"]["drop"].value
    )
    assert drawing.numbers["example"]["id"] == 2
    assert drawing.numbers["largest"] == {"max": FULL, "n_large": 1, "n": 4}


def test_a_drop_of_exactly_the_large_size_is_one():
    """45 of 50 tokens, as in the paper's words."""
    em = [[[5]] * N_PREFIX, [[6]] * N_PREFIX, [[50]] * N_PREFIX]
    drops = em_drops(perturbation_table(em, full=50))
    assert fig3._largest(drops, fig3.LARGE_DROP * 50) == {"max": 45, "n_large": 1, "n": 3}


def test_bands_and_intervals_are_those_of_the_module_of_statistics(tables):
    em = np.random.default_rng(3).integers(0, FULL + 1, (7, N_PREFIX, 2))
    tables["perturbation"] = pd.concat(
        [perturbation_table(em), perturbation_table(em[:, ::-1], "non_memorized", first_id=10)]
    )
    tables["paragraphs"] = pd.concat([tables["paragraphs"].query("id < 7")] * 2).assign(
        id=[*range(7), *range(10, 17)]
    )
    drawing = fig3.draw(tables, SETTINGS)
    drops = FULL - em.mean(axis=2)
    found = drawing.data.query("panel == 'b' and set == 'memorized' and position == 4").iloc[0]
    assert found[["em_drop", "low", "high"]].tolist() == pytest.approx(uncertainty.mean(drops[:, 4])[:3])
    assert drawing.numbers["memorized"]["drop"] == pytest.approx(uncertainty.mean(drops.mean(axis=1)))
    late = drops[:, N_PREFIX // 2 :].mean(axis=1) - drops[:, : N_PREFIX // 2].mean(axis=1)
    assert drawing.numbers["memorized"]["late"] == pytest.approx(uncertainty.paired(late))
    other = FULL - em[:, ::-1].mean(axis=(1, 2))
    assert drawing.numbers["difference"] == pytest.approx(uncertainty.difference(other, drops.mean(axis=1)))
    band = band_at(drawing.figure.axes[2].collections[0], 4)
    assert band == pytest.approx(uncertainty.mean(drops[:, 4])[1:3])
    bands = [axes.get_paths()[0].get_extents() for axes in drawing.figure.axes[2].collections]
    of_other = drawing.data.query("panel == 'b' and set == 'non_memorized'")
    assert bands[1].y1 == pytest.approx(of_other["high"].max())


def test_figure_3_is_the_same_every_time(tables):
    first, second = fig3.draw(tables, SETTINGS), fig3.draw(tables, SETTINGS)
    pd.testing.assert_frame_equal(first.data, second.data)


def caption(name, numbers):
    text = fill((REPORT / f"{name}.rst").read_text(), numbers | {"study": "s"})
    docutils.core.publish_string(text, writer="null", settings_overrides={"halt_level": 2, "report_level": 2})
    return " ".join(text.split())


def test_caption_of_figure_3_describes_the_largest_drops_with_and_without_the_last_token(tables):
    em = np.full((4, N_PREFIX, 1), FULL)
    em[:3, -1] = 0
    em[1, 2] = FULL - 5
    em[3, 4] = 1
    frame = pd.concat(
        [
            perturbation_table(em),
            perturbation_table(np.full((5, N_PREFIX, 1), 4), "non_memorized", first_id=4),
        ]
    )
    numbers = fig3.draw(tables | {"perturbation": frame}, SETTINGS).numbers
    assert numbers["large"] == pytest.approx(0.9 * FULL)
    assert numbers["largest"] == {"max": FULL, "n_large": 3, "n": 4}
    assert numbers["largest_before_last"] == {"max": FULL - 1, "n_large": 0, "n": 4}
    text = caption("fig3", numbers)
    assert f"{FULL} tokens; 3 of 4 memorized paragraphs have a token that costs at least 7.2." in text
    assert f"Without the last token of the prefix: {FULL - 1} tokens, 0 of 4 paragraphs." in text
    assert "(n = 4)" in text  # instead of an interval
    assert "of the paragraphs in which one token costs at least half" in text
    em[:] = FULL - 1
    weak = pd.concat([perturbation_table(em), frame.query("set == 'non_memorized'")])
    text = caption("fig3", fig3.draw(tables | {"perturbation": weak}, SETTINGS).numbers)
    assert "costs at least half" not in text


@pytest.mark.parametrize(
    "name", ["fig3", "fig10", "fig11", "table2", "prefix_patching", "activation_similarity"]
)
def test_captions_decide_nothing(name):
    template = (REPORT / f"{name}.rst").read_text()
    assert not re.search(r"\b(holds?|undecided|finding|paper finds)\b", template)


def test_captions_hold_whatever_the_tokens_are(tables, pairs):
    for token in range(len(SPECIAL)):
        tables["paragraphs"]["tokens"][2][3] = token
        text = caption("fig3", fig3.draw(tables, SETTINGS).numbers)
        assert "2 draws per position" in text
    assert "1 change with their first token" in caption("table2", table2.draw(pairs, SETTINGS).numbers)


def test_quoted_text_is_no_markup():
    for text in SPECIAL:
        document = docutils.core.publish_string(
            quoted(text.strip()), writer="pseudoxml", settings_overrides={"halt_level": 2}
        )
        assert f"\u201c{text.strip()}\u201d" in document.decode()


def test_reference_mode_has_no_first_position(tables):
    tables["perturbation"] = tables["perturbation"].query("position != 0")
    drawing = fig3.draw(tables, SETTINGS)
    assert drawing.data.query("panel == 'b'")["position"].min() == 1
    assert drawing.numbers["example"]["n_positions"] == N_PREFIX - 1


def test_labels_of_figure_3_are_readable(tables):
    figure = fig3.draw(tables, SETTINGS).figure
    assert clipped_labels(figure) == []
    assert overlapping_labels(figure) == []


def test_table_2_marks_the_replaced_token_and_the_change(pairs):
    drawing = table2.draw(pairs, SETTINGS)
    assert drawing.data["id"].tolist() == [1, 2]
    assert drawing.data["em"].tolist() == [3, 0]
    assert drawing.data[["position", "impact_position"]].to_numpy().tolist() == [[9, 13], [3, 10]]
    texts = pairs["vocabulary"]["text"]
    original = pairs["paragraphs"]["tokens"][1]
    assert drawing.data["old_token"][0] == texts[original[9]]
    assert drawing.data["new_token"][0] == texts[(original[9] + 1) % N_WORDS]
    assert drawing.data["prefix"][0] == "".join(texts[original[:N_PREFIX]])
    kept = "".join(texts[original[N_PREFIX : N_PREFIX + 3]])
    changed = next(row.tokens for row in pairs["perturbed_paragraphs"].itertuples() if row.id == 1)
    assert drawing.data["perturbed_continuation"][0] == "".join(texts[changed[N_PREFIX:]])
    assert drawing.data["perturbed_continuation"][0].startswith(kept)
    assert drawing.data["memorized_continuation"][0] == "".join(texts[original[N_PREFIX:]])
    row = next(row for row in pairs["perturbed_paragraphs"].itertuples() if row.id == 1)
    cells = table2._cells(
        row_with_original(row, original), pairs["vocabulary"].set_index("token")["text"], N_PREFIX
    )
    assert [piece.marked for piece in cells[1]] == [False, True, False, True, False]
    assert [piece.colour for piece in cells[3]] == [COLOURS["memorized"], COLOURS["perturbed"]]
    assert "".join(piece.text for piece in cells[1]).replace(" \u2192 ", "") == (
        "".join(texts[[*original[:10], changed[9]]])
    )
    assert "".join(piece.text for piece in cells[3]) == drawing.data["perturbed_continuation"][0]
    columns = ["id", "prefix with the replaced token", "memorized continuation"]
    titles = [text.get_text() for text in drawing.figure.axes[0].texts[:4]]
    assert titles == [*columns, "continuation after the replacement"]
    assert column_of(drawing.figure, "id") == ["1", "2"]
    assert cells[3][0].text == kept
    assert drawing.numbers["n_at_last"] == 1 and drawing.numbers["n_changed_at_once"] == 1
    assert drawing.data["nll"].tolist() == [9.5, 3.5] and drawing.numbers["nll"].value == 6.5


def test_table_2_has_the_memorized_continuation_in_red_and_rows_by_id(pairs):
    original = pairs["paragraphs"]["tokens"][1]
    row = next(row for row in pairs["perturbed_paragraphs"].itertuples() if row.id == 1)
    texts = pairs["vocabulary"].set_index("token")["text"]
    name, prefix, memorized, _ = table2._cells(row_with_original(row, original), texts, N_PREFIX)
    assert name[0].text == "1"
    assert memorized == [Piece("".join(texts[original[N_PREFIX:]]), COLOURS["memorized"])]
    assert [(piece.text, piece.colour) for piece in prefix if piece.marked] == [
        (texts[original[9]], COLOURS["memorized"]),
        (texts[row.token], COLOURS["perturbed"]),
    ]
    assert table2.draw(pairs, SETTINGS).numbers["n_shown"] == 2


def row_with_original(row, original):
    return pd.Series({**row._asdict(), "tokens_original": original})


def test_marked_pieces_keep_their_spaces_visible_across_lines():
    lines = wrap([Piece("a b", "black"), Piece(" cd", "red", marked=True)], 4)
    assert lines == [
        [Piece("a b", "black"), Piece("\u2423", "red", True)],
        [Piece("cd", "red", True)],
    ]


def test_marked_pieces_are_drawn_below_their_neighbours():
    figure = draw_table(("x",), [[[Piece("ab", "black"), Piece("cd", "#c8102e", marked=True)]]], (10,))
    plain, marked = figure.axes[0].texts[1:]
    assert marked.get_bbox_patch() is not None and plain.get_bbox_patch() is None
    assert marked.get_zorder() < plain.get_zorder()
    assert to_hex(marked.get_color()) == "#c8102e"


def test_table_2_shows_six_paragraphs_and_its_numbers_all(pairs):
    perturbed = pairs["perturbed_paragraphs"]
    copies = [perturbed.iloc[[0]].assign(id=number) for number in range(10, 17)]
    paragraphs = pairs["paragraphs"]
    source = paragraphs[paragraphs["id"] == perturbed["id"].iloc[0]]
    more = {
        "perturbed_paragraphs": pd.concat(copies),
        "paragraphs": pd.concat([source.assign(id=number) for number in range(10, 17)]),
    }
    drawing = table2.draw(pairs | more, SETTINGS)
    shown = {text.get_text() for text in drawing.figure.findobj(plt.Text)} & {*map(str, range(10, 17))}
    assert shown == {*map(str, range(10, 16))} and len(drawing.data) == 7
    assert (drawing.numbers["n_shown"], drawing.numbers["n_perturbed"]) == (6, 7)
