"""Figures of all paragraphs: labels and captions follow the lengths of a run, and sets may be empty."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from drawn_parts import band_at, colour_of, column_of, counts_of, legend_of, letters_of
from made_settings import changed

from memloc.data.sets import controls, split
from memloc.figures import fig2, fig8, recited, repeats, table1
from memloc.figures.parts import style
from memloc.figures.parts.memorized_fraction import counted_in, first_half, repeat_bins
from memloc.run.templates import fill
from memloc.scoring.near_verbatim import longest_run, n_edits
from memloc.settings.sections import sections
from memloc.settings.sets import Sets
from memloc.statistics.uncertainty import proportion
from memloc.tables import storage
from memloc.tables.schemas import schema_of

REPORT = Path(__file__).parents[3] / "workflow/report"
SIZES = {"n_memorized": 20, "n_non_memorized": 5, "n_partly": 4, "n_rare_tokens": 10}
SETTINGS = sections(
    {
        "paragraph": {"length": 60, "prefix": 20},
        "sets": {**SIZES, "continuation": "model", "split_by": "em"},
        "recited": {"n_edits": 5},
    }
)
FIGURES = {"fig2": fig2, "fig8": fig8, "repeats": repeats, "table1": table1, "recited": recited}
EM = {
    "all sets": [0, 8, 9, 23, 24, 39, 40, 40, 40],
    "none memorized": [0, 8, 9, 23, 24, 39, 31, 2, 1],
    "all memorized": [40] * 9,
}


def tables(em):
    rng = np.random.default_rng(0)
    n = len(em)
    ids = np.arange(n) + 3
    scores = pd.DataFrame({"id": ids, "em": em, "nll": rng.uniform(0, 3, n)})
    sets = split(scores, 40, Sets(**SIZES), seed=0).assign(continuation=None)
    paragraphs = pd.DataFrame(
        {"id": ids, "count": np.arange(n) + 1, "tokens": list(rng.integers(9, size=(n, 60)))}
    ).assign(continuation_count=pd.array(np.arange(n) + 2, "Int64"))
    vocabulary = pd.DataFrame({"token": range(9), "text": list("abcdefgh ")})
    made = {"scores": scores, "sets": sets, "paragraphs": paragraphs, "vocabulary": vocabulary}
    return made | {"near_verbatim": decoded(made)}


def decoded(made):
    """Greedy continuations: each goes wrong in one token, and where few match it leaves out five more."""
    rows = []
    for row, em in zip(made["paragraphs"].itertuples(), made["scores"]["em"], strict=True):
        true = list(row.tokens[20:])
        greedy = [*true[:em], *((token + 1) % 9 for token in true[em : em + 1]), *true[em + 1 :]]
        if em < 9:
            greedy = greedy[: em + 1] + greedy[em + 6 :] + [0] * 5
        rows.append((row.id, greedy))
    near = pd.DataFrame(rows, columns=["id", "continuation"]).merge(made["sets"][["id", "set"]], on="id")
    greedy = np.stack(near["continuation"])
    true = np.stack(made["paragraphs"]["tokens"])[:, 20:]
    return near.assign(n_edits=n_edits(greedy, true), longest_run=longest_run(greedy, true))


def caption(name, drawing):
    return " ".join(fill((REPORT / f"{name}.rst").read_text(), drawing.numbers | {"study": "x"}).split())


@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.parametrize("em", EM.values(), ids=EM)
def test_every_figure_is_drawn_whatever_sets_there_are(name, em, tmp_path):
    drawing = FIGURES[name].draw(tables(em), SETTINGS)
    drawing.figure.savefig(tmp_path / "figure.png")
    text = caption(name, drawing)
    assert "None" not in text and "nan" not in text


def test_labels_and_captions_name_the_exact_matches_of_the_run():
    assert style.set_labels(SETTINGS)["partly_11_29"] == "partly (9–23)"
    assert style.set_labels(changed(SETTINGS, paragraph={}))["partly_30_49"] == "partly (30–49)"
    text = caption("fig2", fig2.draw(tables(EM["all sets"]), SETTINGS))
    assert (
        "3 memorized (EM 40), 2 non-memorized (EM of at most 8), 2 with EM 9 to 23 and 2 with EM 24 to 39"
        in text
    )


def test_the_caption_says_when_sets_are_made_by_nll():
    by_nll = changed(SETTINGS, sets=SIZES | {"split_by": "nll"})
    drawing = fig2.draw(tables(EM["all sets"]), by_nll)
    assert "sets by NLL, lowest first" in caption("fig2", drawing)
    labels = [text.get_text() for text in drawing.figure.axes[2].get_legend().get_texts()]
    assert [label for label in labels if "partly" in label] == [
        "partly, higher NLL, 2",
        "partly, lower NLL, 2",
    ]
    assert "by NLL" not in caption("fig2", fig2.draw(tables(EM["all sets"]), SETTINGS))


def test_medians_of_counts_are_written_as_whole_numbers_where_they_are():
    text = caption("fig8", fig8.draw(tables(EM["all sets"]), SETTINGS))
    assert ": 5 times in the median, 9 times at most; memorized ones 8 times in the median." in text


def test_numbers_of_figures_2_and_8_are_medians_and_shares_of_their_sets():
    """Skewed, so that no mean is a median."""
    found = tables(EM["all sets"])
    found["scores"]["nll"] = [9.0, 1.0, 0, 0, 0, 0, 0.1, 0.2, 0.9]
    found["paragraphs"]["count"] = [1, 2, 3, 4, 5, 60, 7, 8, 900]
    drawing = fig2.draw(found, SETTINGS)
    numbers = drawing.numbers
    assert numbers["nll"] == pytest.approx({"memorized": 0.2, "non-memorized": 5})
    assert (numbers["n_paragraphs"], numbers["max_em"], numbers["n_continuation"]) == (9, 40, 40)
    (top, _, main, side), names = drawing.figure.axes, style.BY_EXACT_MATCH
    shown = found["scores"].merge(found["sets"], on="id")
    for name, dots, above, beside in zip(
        names, main.collections, top.containers, side.containers, strict=True
    ):
        rows = shown[shown["set"] == name]
        nll, em = dots.get_offsets().T
        assert nll.tolist() == rows["nll"].tolist() and (abs(em - rows["em"].to_numpy()) < 0.4).all()
        for bars, column, lying in ((above, "nll", False), (beside, "em", True)):
            edges, counts = counts_of(bars, lying)
            assert np.histogram(rows[column], edges)[0].tolist() == counts and sum(counts) == len(rows)
            assert colour_of(bars[0]) == colour_of(dots) == style.COLOURS[name]
    assert (main.get_xlabel(), main.get_ylabel()) == ("NLL (nats per token)", "exact match (tokens)")
    assert top.get_yscale() == side.get_xscale() == "log"
    assert top.get_ylabel() == side.get_xlabel() == "paragraphs"
    assert [axes.axison for axes in drawing.figure.axes] == [True, False, True, True]
    assert max(top.get_ylim()[0], side.get_xlim()[0]) < 1, "a bar of one paragraph is seen"
    again = fig2.draw(found, SETTINGS).figure.axes[2]
    for dots, same in zip(main.collections, again.collections, strict=True):
        assert dots.get_offsets().tolist() == same.get_offsets().tolist()
    labels = ["non-memorized, 2", "partly (9\u201323), 2", "partly (24\u201339), 2", "memorized, 3"]
    assert legend_of(main) == dict(zip(labels, (style.COLOURS[name] for name in names), strict=True))
    drawing = fig8.draw(found, SETTINGS)
    numbers = drawing.numbers
    shown = shown.merge(found["paragraphs"], on="id")
    left, right = drawing.figure.axes
    assert (left.get_xlabel(), left.get_xscale()) == ("occurrences in the corpus", "log")
    assert (right.get_xlabel(), right.get_xscale()) == ("exact match (tokens)", "linear")
    for axes, column in ((left, "count"), (right, "em")):
        assert (axes.get_yscale(), axes.get_ylabel()) == ("log", "paragraphs") and axes.get_ylim()[0] < 1
        for name, bars in zip(names, axes.containers, strict=True):
            (edges, counts), values = counts_of(bars), shown.loc[shown["set"] == name, column]
            assert np.histogram(values, edges)[0].tolist() == counts and sum(counts) == len(values)
            assert colour_of(bars[0]) == style.COLOURS[name]
    assert letters_of(drawing.figure) == "ab"
    assert legend_of(right) == {
        label.rpartition(",")[0]: style.COLOURS[name] for label, name in zip(labels, names, strict=True)
    }
    assert (numbers["max_count"], numbers["median_count"], numbers["median_count_memorized"]) == (900, 5, 8)
    assert fig8.draw(tables(EM["none memorized"]), SETTINGS).numbers["share_em_0"] == pytest.approx(1 / 9)


def test_counts_have_bars_between_whole_numbers():
    """Counts 1 to 9, one paragraph of each: a bar of a width below 1 would leave some bars empty."""
    bars = fig8.draw(tables(EM["none memorized"]), SETTINGS).figure.axes[0].patches
    heights: dict[tuple[float, float], float] = {}
    for bar in bars:
        edges = bar.get_x(), bar.get_x() + bar.get_width()
        heights[edges] = heights.get(edges, 0) + bar.get_height()
    assert sorted(heights) == [(count - 0.5, count + 0.5) for count in range(1, 10)]
    assert set(heights.values()) == {1}


def test_a_set_that_is_smaller_than_asked_for_is_told():
    text = caption("fig2", fig2.draw(tables(EM["all sets"]), SETTINGS))
    assert "fewer memorized paragraphs than the 20 asked for: analyses of that set use all 3." in text
    assert "fewer non-memorized paragraphs than the 5 asked for: analyses of that set use all 2." in text
    text = caption("fig2", fig2.draw(tables(EM["none memorized"]), SETTINGS))
    assert "0 memorized (EM 40)" in text
    assert (
        "fewer memorized paragraphs than the 20 asked for: analyses of that set use none, and stop." in text
    )
    enough = changed(SETTINGS, sets={"n_memorized": 3, "n_non_memorized": 2, "split_by": "em"})
    assert "fewer" not in caption("fig2", fig2.draw(tables(EM["all sets"]), enough))


def test_table_1_shows_the_first_sampled_memorized_paragraphs():
    found = tables(EM["all memorized"])
    found["sets"] = found["sets"].assign(sampled=found["sets"]["id"] != 4).iloc[::-1]
    found["paragraphs"]["count"] = [1000, 2, 3, 4, 5, 60, 7, 8, 900]
    drawing = table1.draw(found, SETTINGS)
    texts = ["".join("abcdefgh "[token] for token in tokens) for tokens in found["paragraphs"]["tokens"]]
    shown = [0, 2, 3, 4, 5, 6]
    assert column_of(drawing.figure, "id") == ["3", "5", "6", "7", "8", "9"]
    assert column_of(drawing.figure, "count") == ["1,000", "3", "4", "5", "60", "7"]
    nll = found["scores"]["nll"]
    assert column_of(drawing.figure, "NLL") == [f"{nll[row]:.3f}" for row in shown]
    assert column_of(drawing.figure, "prefix") == [texts[row][:20] for row in shown]
    assert column_of(drawing.figure, "memorized continuation") == [texts[row][20:] for row in shown]
    assert drawing.numbers == {"n_shown": 6, "n_memorized": 9, "median_count": 7}
    assert len(drawing.data) == 9


def test_recited_paragraphs_come_in_the_order_of_their_repeats(monkeypatch):
    found = tables(EM["all sets"])
    monkeypatch.setattr(recited, "N_RECITED", 2)
    monkeypatch.setattr(recited, "N_NEARLY", 1)
    drawing = recited.draw(found, SETTINGS)
    for title, shown in {"id": [11, 10, 8], "count": [9, 8, 6], "edits": [0, 0, 1]}.items():
        assert column_of(drawing.figure, title) == list(map(str, shown))
    assert column_of(drawing.figure, "prefix") == drawing.data["prefix"].iloc[[0, 1, 3]].tolist()
    numbers = drawing.numbers
    assert (numbers["n_shown"], numbers["n_paragraphs"], numbers["max_em"]) == (3, 9, 40)
    assert drawing.data["count"].tolist() == [9, 8, 7, 6, 5, 4, 3]
    assert drawing.data["id"].tolist() == [11, 10, 9, 8, 7, 6, 5]
    assert drawing.data["n_edits"].tolist() == [0, 0, 0, 1, 1, 1, 1]
    tokens = found["paragraphs"]["tokens"][8]
    row = drawing.data.iloc[0]
    assert row.prefix + row.continuation == "".join("abcdefgh "[token] for token in tokens)
    assert len(row.prefix) == 20
    assert "recites 3: given the first 20 tokens, it goes on with exactly the other 40" in caption(
        "recited", drawing
    )
    assert (drawing.data["continuation"] == drawing.data["decoded"]).tolist() == [True] * 3 + [False] * 4
    said = "A further 4 come out nearly verbatim: at most 5 tokens"
    assert said in caption("recited", drawing)
    assert "all 4 partly memorized paragraphs (4 nearly verbatim)" in caption("recited", drawing)
    assert "a sample of 2 non-memorized ones (0)" in caption("recited", drawing)
    nothing = recited.draw(tables(EM["none memorized"]), SETTINGS)
    assert not nothing.numbers["n_recited"] and "has 39 of 40 tokens right" in caption("recited", nothing)
    found["paragraphs"]["count"] = 5
    assert recited.draw(found, SETTINGS).data["id"].tolist() == [9, 10, 11, 5, 6, 7, 8], "then by their ids"
    none = changed(SETTINGS, recited={"n_edits": 0})
    assert recited.draw(tables(EM["none memorized"]), none).data.empty
    assert recited.draw(found, none).data["id"].tolist() == [9, 10, 11]  # as near as may be is near enough


@pytest.mark.parametrize(("em", "n_rows"), [(40, 10), (39, 6)])
def test_ten_recited_and_six_nearly_recited_paragraphs_are_shown(em, n_rows):
    drawing = recited.draw(tables([em] * 12), SETTINGS)
    assert len(column_of(drawing.figure, "id")) == n_rows and len(drawing.data) == 12


@pytest.mark.parametrize("em", EM.values(), ids=EM)
def test_all_that_is_recited_is_a_table_too(em, tmp_path):
    data = recited.draw(tables(em), SETTINGS).data
    stamp = {"paragraph": SETTINGS.paragraph.model_dump()}
    storage.write(schema_of("recited"), data, tmp_path / "recited.parquet", stamp)
    stored = storage.read(schema_of("recited"), tmp_path / "recited.parquet")
    pd.testing.assert_frame_equal(stored, data, check_dtype=False)
    assert len(stored) == sum(exact_match >= 9 for exact_match in em)


def test_what_differs_is_marked_in_what_the_model_wrote():
    found = tables(EM["all sets"])
    figure = recited.draw(found, SETTINGS).figure
    bold = [text.get_text() for text in figure.axes[0].texts if text.get_fontweight() == "bold"]
    right = found["near_verbatim"].query("id == 8")["continuation"].item()[39]
    marks = bold[5:]  # after the header: of the four that are nearly verbatim
    assert len(marks) == 4 and marks[0] == style.visible("abcdefgh "[right])


def test_repeats_are_those_of_the_continuation_where_they_are_counted():
    found = tables(EM["all sets"])
    drawing = repeats.draw(found, SETTINGS)
    assert drawing.data["repeats_min"].min() == 2 and drawing.numbers["n_elsewhere"] == 9
    (axes,), data = drawing.figure.axes, drawing.data
    assert (axes.get_xlabel(), axes.get_xscale()) == ("occurrences of the continuation in training", "log")
    assert axes.get_ylabel() == "fraction memorized" and axes.get_ylim()[1] > 1
    assert axes.lines[0].get_xydata().tolist() == data[["repeats_mean", "fraction"]].to_numpy().tolist()
    for row in data.itertuples():
        assert band_at(axes.collections[0], row.repeats_mean) == (row.low, row.high)
    assert data["n_memorized"].tolist() == [0, 0, 0, 0, 3] and not axes.containers
    found["paragraphs"] = found["paragraphs"].assign(continuation_count=None)
    drawing = repeats.draw(found, SETTINGS)
    assert drawing.data["repeats_min"].min() == 1 and drawing.numbers["n_elsewhere"] == 0
    assert "they occur in the corpus" in caption("repeats", drawing)


def test_continuations_that_are_counted_for_some_paragraphs_are_not_said_to_be_counted():
    assert counted_in({"paragraphs": pd.DataFrame({"continuation_count": [3, None]})}) == "corpus"


def in_indexes(tables, counts):
    """The tables with these counts of continuations in indexes."""
    ids = tables["paragraphs"]["id"]
    return tables | {"exposure": pd.DataFrame({"id": ids, "count": 0, "continuation_count": counts})}


def test_repeats_are_those_in_the_indexes_where_the_study_names_some():
    found = in_indexes(with_controls(EM["all sets"], [0, 0, 40]), [0, 2, 9, 9, 9, 9, 0, 30, 31, 0, 3, 0])
    drawing = repeats.draw(found, SETTINGS)
    assert drawing.figure.axes[0].get_xlabel() == "occurrences of the continuation in the indexes"
    assert drawing.data["n_paragraphs"].sum() == 7 and drawing.data["repeats_max"].max() == 31
    text = caption("repeats", drawing)
    assert "Fraction of the 9 paragraphs" in text and "occurs in the indexes of a corpus" in text
    assert "The 2 whose continuation occurs nowhere there are in no bin." in text
    assert "The memorized paragraph with the fewest occurrences has 30." in text
    assert "The indexes hold the continuation of 1 of them all the same." in text


def test_indexes_may_hold_none_of_the_paragraphs():
    drawing = repeats.draw(in_indexes(tables(EM["all sets"]), 0), SETTINGS)
    text = caption("repeats", drawing)
    assert drawing.data.empty and "The 9 whose continuation occurs nowhere there" in text
    assert "No paragraph is memorized" not in text


def test_a_bin_of_few_paragraphs_has_no_narrow_interval():
    found = tables([40] * 40)
    found["paragraphs"]["continuation_count"] = pd.array([1] * 35 + [4] * 5, "Int64")
    many, few = repeats.draw(found, SETTINGS).data.itertuples()
    assert 0.9 < many.low < 1 and many.high == 1 and many.n_memorized == 35
    assert (few.low, few.high, few.fraction) == (0, 1, 1)


def with_controls(em, unseen_em):
    """The tables with unseen paragraphs of these exact matches at the end."""
    found, n = tables(em), len(unseen_em)
    ids = np.arange(n) + 500
    scores = pd.DataFrame({"id": ids, "em": unseen_em, "nll": 2.5})
    tokens = list(np.zeros((n, 60), dtype=int))
    paragraphs = pd.DataFrame({"id": ids, "count": 0, "continuation_count": 0, "tokens": tokens})
    added = {
        "scores": scores,
        "sets": controls(scores, 3, seed=0).assign(continuation=None),
        "paragraphs": paragraphs.astype({"continuation_count": "Int64"}),
    }
    joined = {name: pd.concat([found[name], rows], ignore_index=True) for name, rows in added.items()}
    return found | joined | {"near_verbatim": decoded(joined)}


@pytest.mark.parametrize("name", FIGURES)
def test_controls_change_nothing_that_is_plotted_or_said_of_others(name):
    drawing = FIGURES[name].draw(tables(EM["all sets"]), SETTINGS)
    beside = FIGURES[name].draw(with_controls(EM["all sets"], [0, 3, 40, 0, 1, 2, 0]), SETTINGS)
    pd.testing.assert_frame_equal(drawing.data, beside.data)
    without = {key: number for key, number in beside.numbers.items() if not key.startswith("unseen")}
    assert without == {key: drawing.numbers[key] for key in without}


@pytest.mark.parametrize("name", ["fig2", "repeats"])
def test_the_share_of_recited_controls_stands_beside_that_of_others(name):
    drawing = FIGURES[name].draw(with_controls(EM["all sets"], [0, 3, 40, 0, 1, 2, 0]), SETTINGS)
    share = proportion(1, 7)
    assert drawing.numbers["unseen"] == share
    if name == "repeats":
        (axes,) = drawing.figure.axes
        dot, _, (ends,) = axes.containers[0].lines
        assert dot.get_xydata().tolist() == [[0.5, share.value]]
        assert colour_of(dot) == style.COLOURS["unseen"]
        assert ends.get_segments()[0][:, 1] == pytest.approx([max(share.low, 0), min(share.high, 1)])
        assert [(text.get_text(), text.xy[0]) for text in axes.texts] == [("unseen", 0.5)]
    assert "Of 7 unseen paragraphs" in caption(name, drawing)
    known = FIGURES[name].draw(tables(EM["all sets"]), SETTINGS)
    assert "No paragraph is known to be unseen." in caption(name, known)


def test_nearly_recited_controls_stand_beside_other_nearly_recited_paragraphs():
    """Of seven controls three are continued: one by its text, the others with 5 and 6 edits of at most 5."""
    found = with_controls(EM["all sets"], [0, 3, 40, 0, 1, 2, 0])
    near = found["near_verbatim"]
    rows = near.index[near["set"] == "unseen"][:3]
    found["near_verbatim"] = near.drop(near.index[near["set"] == "unseen"][3:])
    found["near_verbatim"].loc[rows, "n_edits"] = [0, 5, 6]
    text = caption("recited", recited.draw(found, SETTINGS))
    assert "of a sample of 3 of them, 1 come out nearly verbatim" in text


def test_half_of_a_bin_is_half_and_bins_are_half_a_doubling_wide():
    """Repeats of 4 and 5 are in one bin, 6 and 7 in the next: 4 * 2**0.5 lies between."""
    counts = [1] * 6 + [2] * 4 + [3] * 4 + [4, 5] * 3 + [6, 7] * 2 + [0] * 3
    memorized = (
        [False] * 6 + [True, False, False, False] + [True, True, False, False] + [True] * 6 + [False] * 7
    )
    data = pd.DataFrame({"count": counts, "out": memorized}).assign(continuation_count=None)
    binned = repeat_bins(data, "out")
    assert binned[["repeats_min", "repeats_max"]].to_numpy().tolist() == [
        [1, 1],
        [2, 2],
        [3, 3],
        [4, 5],
        [6, 7],
    ]
    assert binned["n_paragraphs"].tolist() == [6, 4, 4, 6, 4] and binned["n_out"].tolist() == [0, 1, 2, 6, 0]
    assert binned["repeats_mean"].tolist() == [1, 2, 3, 4.5, 6.5]
    assert first_half(binned) == 3 and first_half(binned[:2]) is None
