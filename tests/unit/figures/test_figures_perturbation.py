"""Figure 3, Table 2 and their example on small tables: the plotted numbers, the captions, readable labels."""

import docutils.core
import numpy as np
import pandas as pd
import pytest
from drawn_parts import band_at, column_of
from figure_labels import REPORT, checked
from made_tables import crossed
from rapidfuzz.distance import Levenshtein

from memloc.figures import fig3, table2
from memloc.figures.parts.perturbation_example import BEGINS, draw_example, example_ids
from memloc.figures.parts.style import COLOURS, subplots
from memloc.figures.parts.text_table import marked, plain
from memloc.figures.parts.token_map import label
from memloc.perturbation.effects import em_drops
from memloc.run.templates import fill
from memloc.settings.sections import sections
from memloc.statistics import uncertainty

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
    return frame.assign(nll_original=(full - frame["em"]) / 2 + 0.25, redecoded=False)


def kept_table(em, nll):
    """Rows of paragraphs 0, 1, .. with em and nll [kept][paragraph][number of 1, 2 and 5 tokens][draw]."""
    keys = {"kept": ["costliest", "random"], "id": range(len(em[0])), "n_kept": [1, 2, 5]}
    return crossed(**keys, draw=range(np.shape(em)[3])).assign(em=np.ravel(em), nll=np.ravel(nll))


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
        "perturbed_paragraphs": pd.DataFrame({"id": [], "tokens": []}),
        "kept_tokens": kept_table(rng.integers(0, FULL + 1, (2, 7, 3, 2)), rng.uniform(1, 4, (2, 7, 3, 2))),
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
    em = [[[3], [8]]]
    frame = pd.concat([perturbation_table(em), perturbation_table(em, first_id=1, full=9)])
    assert em_drops(frame)["em_drop"].tolist() == [5, 0, 6, 1]


def test_examples_are_ordered_by_the_distance_of_their_strongest_token_if_it_is_a_word():
    em = [
        [[8], [8], [2], [8]],  # 0: position 2
        [[7], [0], [8], [0]],  # 1: position 1, the first of two
        [[4], [5], [8], [8]],  # 2: position 0, exactly half of the continuation
        [[5], [8], [8], [8]],  # 3: position 0, but weak
        [[8], [1], [8], [8]],  # 4: position 1, less than 1
    ]
    table = pd.concat([perturbation_table(em), perturbation_table([[[0]] * 4], "non_memorized", first_id=9)])
    vocabulary = pd.DataFrame({"token": range(5), "text": [" of", "the", " end", "s", "\n"]})
    paragraphs = pd.DataFrame({"id": range(5), "tokens": [[0, 1, 2, 3]] * 5})
    tables = {"perturbation": table, "paragraphs": paragraphs, "vocabulary": vocabulary}
    assert example_ids(tables) == [2, 1, 4, 0, 3]
    assert example_ids(tables | {"perturbation": table.sample(frac=1, random_state=1)}) == [2, 1, 4, 0, 3]
    paragraphs["tokens"] = [[0, 1, 2, 3]] * 2 + [[4, 1, 2, 3]] * 3  # 2 to 4 begin a line; it is 2's costliest
    assert example_ids(tables) == [4, 2, 1, 0, 3]


def test_a_line_a_sentence_or_a_statement_is_seen_to_begin():
    begin, inside = ("\n", "\n    ", " The", " return", "class"), (" of", "Tensor", "_", " returns", " None")
    assert all(map(BEGINS.match, begin)) and not any(map(BEGINS.match, inside))


def test_example_shows_mean_and_range_of_draws(tables):
    _, axes = subplots(2.4, 3.4, nrows=2)
    data, numbers = draw_example(*axes, tables, 2, N_PREFIX)
    rows = tables["perturbation"].query("id == 2 and position >= 0").groupby("position")
    for each, name, column, before in zip(
        axes, ("nll", "em"), ("nll_original", "em"), (0.25, FULL), strict=True
    ):
        ends = rows[column].agg(["mean", "min", "max"])
        np.testing.assert_allclose(data[[f"{name}_{end}" for end in ends]], ends)
        bands = [band_at(each.collections[0], position) for position in range(N_PREFIX)]
        assert bands == list(ends[["min", "max"]].itertuples(index=False, name=None))
        drawn, dashed, upright = each.lines
        np.testing.assert_allclose(drawn.get_xydata()[:, 1], ends["mean"])
        assert (dashed.get_ydata()[0], upright.get_xdata()) == (before, [3, 3])
    assert (numbers["distance"], numbers["em_drop"]) == (N_PREFIX - 3, FULL)
    assert (numbers["em_unperturbed"], numbers["n_positions"], numbers["id"]) == (FULL, N_PREFIX, 2)
    marked = [text.get_color() == COLOURS["perturbed"] for text in axes[1].get_xticklabels()]
    assert marked == [position == 3 for position in range(N_PREFIX)]


def test_a_position_costs_what_its_costliest_draw_costs_and_the_example_says_what_its_tokens_do(tables):
    em = [[[FULL, 3], [FULL, FULL], [3, FULL], [FULL - 1, FULL]] + [[FULL, FULL]] * (N_PREFIX - 4)]
    tables["perturbation"] = perturbation_table(em, first_id=2)
    _, axes = subplots(2.4, 3.4, nrows=2)
    _, numbers = draw_example(*axes, tables, 2, N_PREFIX)
    assert (numbers["em_drop"], numbers["n_without_effect"]) == (FULL - 3, N_PREFIX - 3)
    texts, original = tables["vocabulary"]["text"], tables["paragraphs"]["tokens"][2]
    assert (numbers["old"], numbers["new"]) == (label(texts[original[0]]), label(texts[21]))
    assert [mark.xy[0] for mark in axes[0].texts if mark.get_text() == "\u25bc"] == [0]


def test_figure_3_without_nll_of_perturbed_paragraphs(tables):
    table = tables["perturbation"]
    without = table.assign(nll_original=table["nll_original"].where(table["position"] < 0))
    drawing = fig3.draw({**tables, "perturbation": without}, SETTINGS)
    said = [[text.get_text() for text in axes.texts] for axes in drawing.figure.axes[:2]]
    assert "perturbed: not computed" in said[0] and "perturbed: not computed" not in said[1]
    assert checked("fig3", drawing)


def test_figure_3_plots_mean_drops_per_position_with_their_intervals(tables):
    em = np.random.default_rng(3).integers(0, FULL + 1, (7, N_PREFIX, 2))
    others = perturbation_table(em[:, ::-1], "non_memorized", first_id=10)
    tables["perturbation"] = pd.concat([perturbation_table(em), others])
    seven = tables["paragraphs"].query("id < 7")
    tables["paragraphs"] = pd.concat([seven] * 2).assign(id=[*range(7), *range(10, 17)])
    drawing = fig3.draw(tables, SETTINGS)
    axes, drops = drawing.figure.axes[2], FULL - em.mean(axis=2)
    both = dict(zip(fig3.SETS, (drops, drops[:, ::-1]), strict=True))
    for name, line, band in zip(fig3.SETS, axes.lines, axes.collections, strict=True):
        own = both[name]
        assert line.get_ydata() == pytest.approx(own.mean(axis=0))
        for position in (0, 4, N_PREFIX - 1):
            expected = uncertainty.mean(own[:, position])
            assert band_at(band, position) == pytest.approx((expected.low, expected.high))
        assert drawing.numbers["drops"][name] == pytest.approx(uncertainty.mean(own.mean(axis=1)))
        assert f"{own.mean():.1f} tokens per replaced token (7 paragraphs)" in line.get_label()


def test_figure_3_plots_the_nll_by_the_number_of_kept_tokens(tables):
    rng = np.random.default_rng(5)
    em, nll = np.full((2, 7, 3, 2), FULL - 1), rng.uniform(1, 4, (2, 7, 3, 2))
    em[0, :3, 1, 0] = em[1, 2, 1, 0] = FULL  # 2 of 10 tokens are few, and the first draw counts
    em[:, :, 2] = em[1, :, 1, 1] = FULL
    drawing = fig3.draw(tables | {"kept_tokens": kept_table(em, nll)}, SETTINGS)
    axes, means = drawing.figure.axes[3], nll.mean(axis=3)
    for own, line, band in zip(means, axes.lines, axes.collections, strict=True):
        assert line.get_xydata() == pytest.approx(np.column_stack([[1, 2, 5], own.mean(axis=0)]))
        for column, number in enumerate([1, 2, 5]):
            expected = uncertainty.mean(own[:, column])
            assert band_at(band, number) == pytest.approx((expected.low, expected.high))
    found = drawing.numbers["kept"]
    assert (found["few"], found["n"], found["costliest"], found["random"]) == (2, 7, 3, 1)
    text = checked("fig3", drawing)
    assert (
        "With 2 tokens kept, the model recites 3 of 7 memorized paragraphs from the costliest and 1" in text
    )


def test_captions_are_valid_markup_whatever_the_tokens_are(tables):
    for token in range(len(SPECIAL)):
        tables["paragraphs"]["tokens"][2][3] = token
        text = fill((REPORT / "fig3.rst").read_text(), fig3.draw(tables, SETTINGS).numbers)
        options = {"halt_level": 2, "report_level": 2}
        docutils.core.publish_string(text, writer="null", settings_overrides=options)


def test_no_band_is_beyond_the_largest_drop():
    drops = pd.DataFrame({0: [FULL] * 7 + [1], 1: [0] * 7 + [1]})
    found = fig3._draw_mean(subplots(1, 2)[1], "memorized", drops)
    assert found["high"][0] == FULL > found["high"][1] and uncertainty.mean(drops[0]).high > FULL


def test_without_nlls_their_panel_is_low_and_its_words_stand_beside_the_mark(tables):
    whole, rows = fig3.draw(tables, SETTINGS), tables["perturbation"]
    rows.loc[rows["position"] >= 0, "nll_original"] = np.nan
    low = fig3.draw(tables, SETTINGS)
    heights = [axes.get_position().height for each in (whole, low) for axes in each.figure.axes[:2]]
    assert heights[0] == pytest.approx(heights[1]) and heights[2] < 0.6 * heights[3]
    text = low.figure.axes[0].texts[0]
    assert text.get_text() == "perturbed: not computed"
    position = N_PREFIX - low.numbers["example"]["distance"]
    assert abs(text.get_position()[0] * N_PREFIX - position) > 2


def test_reference_mode_has_no_first_position(tables):
    tables["perturbation"] = tables["perturbation"].query("position != 0")
    drawing = fig3.draw(tables, SETTINGS)
    assert drawing.data.query("panel == 'b'")["position"].min() == 1
    assert drawing.numbers["example"]["n_positions"] == N_PREFIX - 1


def test_table_2_marks_the_replaced_token_and_the_change(pairs):
    """Rows by id; of paragraph 1 three tokens of the continuation are kept, of 2 none."""
    drawing = table2.draw(pairs, SETTINGS)
    data, texts = drawing.data, pairs["vocabulary"]["text"]
    assert data["id"].tolist() == [1, 2] and data["em"].tolist() == [3, 0]
    assert data[["position", "impact_position"]].to_numpy().tolist() == [[9, 13], [3, 10]]
    assert data["nll"].tolist() == [9.5, 3.5]
    assert drawing.numbers["n_at_last"] == drawing.numbers["n_changed_at_once"] == 1
    for row in data.itertuples():
        original = pairs["paragraphs"]["tokens"][row.id]
        (pair,) = pairs["perturbed_paragraphs"].query("id == @row.id").itertuples()
        assert (row.old_token, row.new_token) == (texts[original[row.position]], texts[pair.token])
        assert row.prefix == "".join(texts[original[:N_PREFIX]])
        assert row.memorized_continuation == "".join(texts[original[N_PREFIX:]])
        assert row.perturbed_continuation == "".join(texts[pair.tokens[N_PREFIX:]])
        shown = pd.Series({**pair._asdict(), "tokens_original": original})
        shown["edits"] = row.edits
        name, prefix, memorized, perturbed, edits = table2._cells(shown, texts, N_PREFIX)
        assert edits == str(Levenshtein.distance(pair.tokens[N_PREFIX:], original[N_PREFIX:]))
        exchanged = f"{marked(row.old_token)} \u2192 {marked(row.new_token)}"
        before, after = original[: row.position], original[row.position + 1 : N_PREFIX]
        assert prefix == plain("".join(texts[before])) + exchanged + plain("".join(texts[after]))
        assert memorized == plain(row.memorized_continuation) and name == str(row.id)
        kept = "".join(texts[original[N_PREFIX : pair.impact_position]])
        assert perturbed == f"{plain(kept)}\u27e6{plain(row.perturbed_continuation[len(kept) :])}\u27e7"
    assert column_of(drawing.figure, "id") == ["1", "2"]
    assert data["edits"].tolist() == [5, FULL] and checked("table2", drawing)


def test_table_2_shows_six_paragraphs_and_its_numbers_all(pairs):
    perturbed, paragraphs = pairs["perturbed_paragraphs"], pairs["paragraphs"]
    source = paragraphs[paragraphs["id"] == perturbed["id"].iloc[0]]
    more = {
        "perturbed_paragraphs": pd.concat(
            [perturbed.iloc[[0]].assign(id=number) for number in range(10, 17)]
        ),
        "paragraphs": pd.concat([source.assign(id=number) for number in range(10, 17)]),
    }
    drawing = table2.draw(pairs | more, SETTINGS)
    assert column_of(drawing.figure, "id") == [*map(str, range(10, 16))] and len(drawing.data) == 7
    assert (drawing.numbers["n_shown"], drawing.numbers["n_perturbed"]) == (6, 7)
