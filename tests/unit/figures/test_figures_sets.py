"""Figures of all paragraphs: labels and captions follow the lengths of a run, and sets may be empty."""

import numpy as np
import pandas as pd
import pytest
from drawn_parts import band_at, column_of, counts_of
from figure_labels import checked
from made_settings import changed

from memloc.data.sets import controls, split
from memloc.figures import fig2, fig8, recited, repeats, table1
from memloc.figures.parts import style
from memloc.figures.parts.memorized_fraction import counted_in, first_half, repeat_bins
from memloc.figures.parts.recited_page import recited_page
from memloc.scoring.near_verbatim import longest_run, n_edits
from memloc.settings.sections import sections
from memloc.settings.sets import Sets
from memloc.statistics.uncertainty import proportion
from memloc.tables import storage
from memloc.tables.schemas import schema_of

SIZES = {"n_memorized": 20, "n_non_memorized": 5, "n_partly": 4, "n_rare_tokens": 10}
SETTINGS = sections({"paragraph": {"length": 60, "prefix": 20}, "sets": SIZES})
TEXT = recited.HEADER[-1]
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
    sets = split(scores, pd.Series(np.arange(n) + 2, ids), 40, Sets(**SIZES), seed=0)
    paragraphs = pd.DataFrame({"id": ids, "count": np.arange(n) + 1})
    paragraphs["continuation_count"] = pd.array(np.arange(n) + 2, "Int64")
    paragraphs["tokens"] = list(rng.integers(9, size=(n, 60)))
    made = {"scores": scores, "sets": sets.assign(continuation=None), "paragraphs": paragraphs}
    made["vocabulary"] = pd.DataFrame({"token": range(9), "text": list("abcdefgh ")})
    starts = 60 * np.arange(n)
    made["places"] = pd.DataFrame({"id": ids, "file": "b/a.txt", "document": 0, "start": starts, "line": ids})
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


@pytest.mark.parametrize("em", EM.values(), ids=EM)
def test_all_that_is_recited_is_a_table_too(em, tmp_path):
    data = recited.draw(tables(em), SETTINGS).data
    stamp = {"paragraph": SETTINGS.paragraph.model_dump()}
    storage.write(schema_of("recited"), data, tmp_path / "recited.parquet", stamp)
    stored = storage.read(schema_of("recited"), tmp_path / "recited.parquet")
    pd.testing.assert_frame_equal(stored, data, check_dtype=False)
    assert len(stored) == sum(exact_match >= 9 for exact_match in em)


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


def test_half_of_a_bin_is_half_and_bins_are_half_a_doubling_wide():
    """Repeats of 4 and 5 are in one bin, 6 and 7 in the next: 4 * 2**0.5 lies between."""
    counts = [1] * 6 + [2] * 4 + [3] * 4 + [4, 5] * 3 + [6, 7] * 2 + [0] * 3
    memorized = [False] * 6 + [True] + [False] * 3 + [True] * 2 + [False] * 2 + [True] * 6 + [False] * 7
    data = pd.DataFrame({"count": counts, "out": memorized}).assign(continuation_count=None)
    binned = repeat_bins(data, "out")
    assert binned["repeats_min"].tolist() == [1, 2, 3, 4, 6]
    assert binned["repeats_max"].tolist() == [1, 2, 3, 5, 7]
    assert binned["n_paragraphs"].tolist() == [6, 4, 4, 6, 4] and binned["n_out"].tolist() == [0, 1, 2, 6, 0]
    assert binned["repeats_mean"].tolist() == [1, 2, 3, 4.5, 6.5]
    assert first_half(binned) == 3 and first_half(binned[:2]) is None


@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.parametrize("em", [EM["none memorized"], EM["all memorized"]], ids=["none", "all"])
def test_every_figure_is_drawn_whatever_sets_there_are(name, em):
    assert checked(name, FIGURES[name].draw(tables(em), SETTINGS))


def test_a_set_that_is_smaller_than_asked_for_is_told():
    text = checked("fig2", fig2.draw(tables(EM["all sets"]), SETTINGS))
    sizes = "3 memorized (EM 40), 2 non-memorized (EM of at most 8), 2 with EM 9 to 23 and 2 with EM 24 to 39"
    assert sizes in text
    assert "fewer memorized paragraphs than the 20 asked for: analyses of that set use all 3." in text
    assert "fewer non-memorized paragraphs than the 5 asked for: analyses of that set use all 2." in text
    text = checked("fig2", fig2.draw(tables(EM["none memorized"]), SETTINGS))
    assert "than the 20 asked for: analyses of that set use none, and stop." in text
    enough = changed(SETTINGS, sets={"n_memorized": 3, "n_non_memorized": 2})
    assert "fewer" not in checked("fig2", fig2.draw(tables(EM["all sets"]), enough))


def test_figures_2_and_8_show_every_paragraph_of_every_set():
    """Skewed, so that no mean is a median."""
    found = tables(EM["all sets"])
    found["scores"]["nll"] = [9.0, 1.0, 0, 0, 0, 0, 0.1, 0.2, 0.9]
    found["paragraphs"]["count"] = [1, 2, 3, 4, 5, 60, 7, 8, 900]
    shown = found["scores"].merge(found["sets"], on="id").merge(found["paragraphs"], on="id")
    drawing, other = fig2.draw(found, SETTINGS), fig8.draw(found, SETTINGS)
    (top, _, main, side), (left, right) = drawing.figure.axes, other.figure.axes
    for place, name in enumerate(style.BY_EXACT_MATCH):
        rows = shown[shown["set"] == name]
        nll, em = main.collections[place].get_offsets().T
        assert nll.tolist() == rows["nll"].tolist() and (abs(em - rows["em"].to_numpy()) < 0.4).all()
        for axes, column, lying in ((top, "nll", 0), (side, "em", 1), (left, "count", 0), (right, "em", 0)):
            edges, counts = counts_of(axes.containers[place], bool(lying))
            assert np.histogram(rows[column], edges)[0].tolist() == counts and sum(counts) == len(rows)
    assert drawing.numbers["nll"] == pytest.approx({"memorized": 0.2, "non-memorized": 5})
    assert min(axes.get_ylim()[0] for axes in (top, left, right)) > 0.5, "logarithmic"
    again = fig2.draw(found, SETTINGS).figure.axes[2].collections
    for one, same in zip(main.collections, again, strict=True):
        np.testing.assert_array_equal(one.get_offsets(), same.get_offsets())
    said = ": 5 times in the median, 900 times at most; memorized ones 8 times in the median."
    assert said in checked("fig8", other)
    assert fig8.draw(tables(EM["none memorized"]), SETTINGS).numbers["share_em_0"] == pytest.approx(1 / 9)


def test_table_1_shows_the_first_sampled_memorized_paragraphs():
    found = tables(EM["all memorized"])
    found["sets"] = found["sets"].assign(sampled=found["sets"]["id"] != 4).iloc[::-1]
    found["paragraphs"]["count"] = [1000, 2, 3, 4, 5, 60, 7, 8, 900]
    drawing = table1.draw(found, SETTINGS)
    texts = ["".join("abcdefgh "[token] for token in tokens) for tokens in found["paragraphs"]["tokens"]]
    shown, nll = [0, 2, 3, 4, 5, 6], found["scores"]["nll"]
    columns = {
        "id": ["3", "5", "6", "7", "8", "9"],
        "count": ["1,000", "3", "4", "5", "60", "7"],
        "NLL": [f"{nll[row]:.3f}" for row in shown],
        "prefix": [texts[row][:20] for row in shown],
        "memorized continuation": [texts[row][20:] for row in shown],
    }
    assert {title: column_of(drawing.figure, title) for title in columns} == columns
    assert drawing.numbers == {"n_shown": 6, "n_memorized": 9, "median_count": 7} and len(drawing.data) == 9


def test_recited_paragraphs_come_in_the_order_of_their_repeats(monkeypatch):
    found = tables(EM["all sets"])
    monkeypatch.setattr(recited, "N_RECITED", 2)
    monkeypatch.setattr(recited, "N_NEARLY", 1)
    drawing = recited.draw(found, SETTINGS, "some/<model>")
    data = drawing.data
    for title, shown in {"count": [9, 8, 6], "edits": [0, 0, 1]}.items():
        assert column_of(drawing.figure, title) == list(map(str, shown))
    assert column_of(drawing.figure, "place") == ["a.txt, line 11", "a.txt, line 10", "a.txt, line 8"]
    said = "3 of 9 paragraphs of 60 tokens are recited word for word, in 3 passages."
    assert f"<p>Model: some/&lt;model&gt;.</p>\n<p>{said}</p>" in drawing.page
    of = "Shown, each text once: 2 longest of 3 recited, 1 nearest of 4 nearly recited."
    assert f"Model: some/<model>. {said} {of}" in " ".join("".join(column_of(drawing.figure, TEXT)).split())
    assert data["id"].tolist() == [11, 10, 9, 8, 7, 6, 5] and data["n_edits"].tolist() == 3 * [0] + 4 * [1]
    tokens, row = found["paragraphs"]["tokens"][8], data.iloc[0]
    assert row.prefix + row.continuation == "".join("abcdefgh "[token] for token in tokens)
    assert (data["continuation"] == data["decoded"]).tolist() == [True] * 3 + [False] * 4
    text = checked("recited", drawing)
    assert "recites 3: given the first 20 tokens, it goes on with exactly the other 40" in text
    assert "A further 4 come out nearly verbatim: at most 5 tokens" in text
    assert "all 4 partly memorized paragraphs (4 found)" in text
    assert "a sample of 2 non-memorized ones (0 found)" in text
    nothing = recited.draw(tables(EM["none memorized"]), SETTINGS)
    assert "has 39 of 40 tokens right" in checked("recited", nothing)
    none = "0 of 9 paragraphs of 60 tokens are recited word for word."
    assert none in column_of(nothing.figure, TEXT)[0] and f"<p>{none}</p>\n<p>The model was" in nothing.page
    found["paragraphs"]["count"] = 5
    assert recited.draw(found, SETTINGS).data["id"].tolist() == [9, 10, 11, 5, 6, 7, 8], "then by their ids"
    monkeypatch.setattr(recited, "NEARLY", 0)
    nearest = recited.draw(tables(EM["none memorized"]), SETTINGS)
    assert nearest.data.empty and nearest.numbers["n_nearest"] == 1
    assert "1 edit away" in checked("recited", nearest) and "1 edit from recited" in nearest.page
    assert f"<p>{none} Shown is the nearest one that was decoded.</p>" in nearest.page
    assert column_of(nearest.figure, "place") == ["a.txt, line 5"]  # first of those that are as near
    assert recited.draw(found, SETTINGS).data["id"].tolist() == [9, 10, 11], "as near as may be is enough"


def test_the_page_highlights_what_is_recited_and_is_safe_for_any_text():
    """Windows of 8 tokens, 4 of them prefix, at 0, 6 and 8 of the text: token 12 on is in a continuation."""
    vocabulary = pd.Series(["<script>&", "\u202e\x00", "\n", *"abcdefghijkl."])
    row = {"file": "<a>.txt", "document": 0, "start": 100, "end": 116, "line": 12, "n_edits": 0}
    row |= {"tokens": range(16), "continuation": [], "decoded": []}
    passage = {**row, "starts": [100, 106, 108], "verbatim_run": 6}
    other = {"n_edits": 1, "prefix": [0, 1, 2, 3], "continuation": [4, 5, 6, 15], "decoded": [4, 9, 6, 15]}
    found = pd.DataFrame([passage, passage | other])
    page = recited_page(["Said & done."], found, vocabulary, 8, 4)
    assert not [text for text in ("<script>", "<a>", "\u202e") if text in page]
    assert "http" not in page.split("<h1>")[1]
    assert "<pre>\n&lt;script&gt;&amp;\\u202e\\u0000\na<mark>bcde</mark>fg<mark>hijkl.</mark></pre>" in page
    assert "a<mark>b</mark><ins>g</ins><mark>d.</mark></pre>" in page
    assert "6 tokens recited" in page and "Said &amp; done.</p>" in page
    assert recited_page(["None."], found[:0], vocabulary, 8, 4).endswith("<p>None.</p>\n</html>\n")
    assert "&lt;a&gt;.txt, line 12 (tokens 101 to 116" in page


def test_paragraphs_that_overlap_are_listed_as_passages_of_the_text():
    """Ids 9 to 11 are recited: 9 and 10 overlap, also where a second document holds both again."""
    found = tables(EM["all sets"])
    text = np.random.default_rng(1).integers(9, size=70)
    tokens = [*found["paragraphs"]["tokens"][:6], text[:60], text[10:], found["paragraphs"]["tokens"][8]]
    found["paragraphs"]["tokens"] = tokens
    found["places"].loc[6:7, "start"] = [400, 410]
    again = pd.DataFrame({"id": [9, 10], "file": "c.txt", "document": 2, "start": [3, 13], "line": [1, 4]})
    found["places"] = pd.concat([found["places"], again], ignore_index=True)
    found["near_verbatim"] = decoded(found)
    drawing = recited.draw(found, SETTINGS)
    columns = ["file", "document", "start", "end", "n_windows", "verbatim_run", "id"]
    twice = [["b/a.txt", 0, 400, 470, 2, 50, 9], ["c.txt", 2, 3, 73, 2, 50, 9]]
    expected = [*twice, ["b/a.txt", 0, 480, 540, 1, 40, 11]]
    assert drawing.data[columns].head(3).to_numpy().tolist() == expected
    assert drawing.data["text"][0] == "".join("abcdefgh "[token] for token in text)
    lines = [text.split()[-1] for text in column_of(drawing.figure, "place")]
    assert lines == ["9", "11", "8", "7", "6", "5"], "the same text once"
    said = checked("recited", drawing)
    assert "recites 3: given" in said and "make up 3 passages of the text" in said
    assert "the longest verbatim run has 50 tokens" in said
    assert "Paragraphs that overlap" not in checked("recited", recited.draw(tables(EM["all sets"]), SETTINGS))


def test_repeats_are_those_of_the_continuation_where_they_are_counted_for_all_paragraphs():
    found = tables(EM["all sets"])
    drawing = repeats.draw(found, SETTINGS)
    (axes,), data = drawing.figure.axes, drawing.data
    assert data["repeats_min"].min() == 2 and drawing.numbers["n_elsewhere"] == 9
    assert axes.lines[0].get_xydata().tolist() == data[["repeats_mean", "fraction"]].to_numpy().tolist()
    assert data["low"].isna().tolist() == (data["n_paragraphs"] < 6).tolist(), "too few for an interval"
    for row in data.dropna(subset="low").itertuples():
        assert band_at(axes.collections[0], row.repeats_mean) == (row.low, row.high)
    assert data["n_memorized"].tolist() == [0, 0, 0, 0, 3] and not axes.containers
    found["paragraphs"] = found["paragraphs"].assign(continuation_count=None)
    drawing = repeats.draw(found, SETTINGS)
    assert drawing.data["repeats_min"].min() == 1 and drawing.numbers["n_elsewhere"] == 0
    assert "they occur in the corpus" in checked("repeats", drawing)
    assert counted_in({"paragraphs": pd.DataFrame({"continuation_count": [3, None]})}) == "corpus"


def test_the_share_of_recited_controls_stands_beside_that_of_others():
    found = with_controls(EM["all sets"], [0, 3, 40, 0, 1, 2, 0])
    share, drawing = proportion(1, 7), repeats.draw(found, SETTINGS)
    (axes,) = drawing.figure.axes
    dot, _, (ends,) = axes.containers[0].lines
    assert dot.get_xydata().tolist() == [[0.5, share.value]]
    assert ends.get_segments()[0][:, 1] == pytest.approx([max(share.low, 0), min(share.high, 1)])
    assert "Of 7 unseen paragraphs" in checked("repeats", drawing)
    assert "Of 7 unseen paragraphs" in checked("fig2", fig2.draw(found, SETTINGS))
    # Of three that are continued, one is recited, and others have 5 and 6 edits of at most 5.
    near = found["near_verbatim"]
    unseen = near.index[near["set"] == "unseen"]
    found["near_verbatim"] = near.drop(unseen[3:])
    found["near_verbatim"].loc[unseen[:3], "n_edits"] = [0, 5, 6]
    text = checked("recited", recited.draw(found, SETTINGS))
    assert "Of a sample of 3 of them, 1 come out nearly verbatim" in text
    known = checked("fig2", fig2.draw(tables(EM["all sets"]), SETTINGS))
    assert "No paragraph is known to be unseen." in known
