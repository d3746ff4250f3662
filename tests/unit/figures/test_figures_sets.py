"""Figures of all paragraphs: labels and captions follow the lengths of a run, and sets may be empty."""

import re

import numpy as np
import pandas as pd
import pytest
from drawn import column_of
from figure_labels import REPORT, checked
from made_tables import frame_of, unlike_tokens

from memloc.data.sets import apart, pairs, split
from memloc.figures import fig2, fig8, recited, repeats, table1
from memloc.figures.parts import recited_page
from memloc.figures.parts.memorized_fraction import counted_in, repeat_bins
from memloc.run.templates import fill
from memloc.settings.sections import sections
from memloc.settings.sets import Sets

SIZES = {"n_memorized": 20, "n_non_memorized": 5, "n_partly": 4, "n_rare_tokens": 10}
SETTINGS = sections(
    {"paragraph": {"length": 60, "prefix": 20}, "sets": SIZES, "data": {"source": "code", "held_out": 0.1}}
)
FIGURES = {"fig2": fig2, "fig8": fig8, "repeats": repeats, "table1": table1}
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
    sets = split(scores, 40, Sets(**SIZES), 0, unlike_tokens)
    sets["pair"] = pairs(pd.Series(np.arange(n)), sets["set"] == "memorized", 0, rng)
    paragraphs = pd.DataFrame({"id": ids, "count": np.arange(n) + 1})
    paragraphs["continuation_count"] = pd.array(np.arange(n) + 2, "Int64")
    paragraphs["longest_run"] = pd.array([None] * n, "Int64")
    paragraphs["tokens"] = list(rng.integers(9, size=(n, 60)))
    made = {"scores": scores, "sets": sets.assign(continuation=None), "paragraphs": paragraphs}
    made["vocabulary"] = pd.DataFrame({"token": range(9), "text": list("abcdefgh ")})
    return made


def with_unseen(em, unseen_em):
    """The tables with unseen paragraphs of these exact matches at the end."""
    found, n = tables(em), len(unseen_em)
    ids = np.arange(n) + 500
    scores = pd.DataFrame({"id": ids, "em": unseen_em, "nll": 2.5})
    tokens = list(np.zeros((n, 60), dtype=int))
    paragraphs = pd.DataFrame({"id": ids, "count": 0, "continuation_count": 0, "tokens": tokens})
    paragraphs["longest_run"] = pd.array([None] * n, "Int64")
    added = {
        "scores": scores,
        "sets": apart(scores["id"], "unseen", 3, 0, unlike_tokens).assign(continuation=None),
        "paragraphs": paragraphs.astype({"continuation_count": "Int64"}),
    }
    joined = {name: pd.concat([found[name], rows], ignore_index=True) for name, rows in added.items()}
    return found | joined


@pytest.mark.parametrize("name", FIGURES)
def test_unseen_paragraphs_change_nothing_that_is_plotted_or_said_of_others(name):
    drawing = FIGURES[name].draw(tables(EM["all sets"]), SETTINGS)
    beside = FIGURES[name].draw(with_unseen(EM["all sets"], [0, 3, 40, 0, 1, 2, 0]), SETTINGS)
    pd.testing.assert_frame_equal(drawing.data, beside.data)
    without = {key: number for key, number in beside.numbers.items() if not key.startswith("unseen")}
    assert without == {key: drawing.numbers[key] for key in without}


def test_bins_are_half_a_doubling_wide():
    """Repeats of 4 and 5 are in one bin, 6 and 7 in the next: 4 * 2**0.5 lies between."""
    counts = [1] * 6 + [2] * 4 + [3] * 4 + [4, 5] * 3 + [6, 7] * 2 + [0] * 3
    memorized = [False] * 6 + [True] + [False] * 3 + [True] * 2 + [False] * 2 + [True] * 6 + [False] * 7
    data = pd.DataFrame({"count": counts, "out": memorized}).assign(continuation_count=None)
    binned = repeat_bins(data, "out")
    assert binned["repeats_min"].tolist() == [1, 2, 3, 4, 6]
    assert binned["repeats_max"].tolist() == [1, 2, 3, 5, 7]
    assert binned["n_paragraphs"].tolist() == [6, 4, 4, 6, 4] and binned["n_out"].tolist() == [0, 1, 2, 6, 0]
    assert binned["repeats_mean"].tolist() == [1, 2, 3, 4.5, 6.5]


@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.parametrize("em", [EM["none memorized"], EM["all memorized"]], ids=["none", "all"])
def test_every_figure_is_drawn_whatever_sets_there_are(name, em):
    assert checked(name, FIGURES[name].draw(tables(em), SETTINGS))


def passages(**given):
    """Tables of passages, of a text of 10,000 tokens."""
    texts = {"unseen": [False, True], "n_tokens": [10_000, 500], "n_recited": [300, 0], "n_short": 0}
    found = frame_of("recited", **{"file": "b/a.txt", "prefix": "given ", **given})
    return {"recited": found, "texts": frame_of("texts", **texts)}


def test_passages_come_in_the_order_of_their_lengths_and_counts(monkeypatch):
    monkeypatch.setattr(recited, "N_SHOWN", 3)
    spans = {"start": [60, 200, 300, 400, 500], "end": [100, 280, 340, 480, 540], "line": [4, 7, 9, 11, 12]}
    texts = {"count": [9, 1, 12, 2, 1], "continuation": ["one", "two <b>", "three", "two <b>", "four"]}
    found = passages(**spans, **texts, at_once=[40, 80, 40, 50, 40], unseen=[False] * 4 + [True])
    drawing = recited.draw(found, SETTINGS, "some/<model>")
    assert drawing.data["line"].tolist() == [11, 7, 9, 4, 12]
    rows = {"count": ["2", "12", "9"], "tokens": ["80", "40", "40"]}
    assert {title: column_of(drawing.figure, title) for title in rows} == rows, "the same text once"
    assert column_of(drawing.figure, "place") == ["a.txt, line 11", "a.txt, line 9", "a.txt, line 4"]
    said = (
        "The model recites 4 passages, the longest of 80 tokens, 50 of them in one go: 3.0 % of 10,000 "
        "tokens."
    )
    assert said in checked("recited", drawing) and f"<p>{said}</p>" in drawing.page
    assert "<p>Model: some/&lt;model&gt;.</p>" in drawing.page
    assert "<p>80 tokens, 50 of them in one go: b/a.txt, line 11 (tokens 401 to 480 of" in drawing.page
    assert "given <mark>two &lt;b&gt;</mark></pre>" in drawing.page
    own, unseen = drawing.page.split("<h2>In text that the model cannot have seen</h2>")
    assert own.count("<h3") == 3 and unseen.count("<h3") == 1 and "<mark>four</mark>" in unseen
    none = {name: frame[:0] if name == "recited" else frame for name, frame in found.items()}
    nothing = recited.draw(none, SETTINGS)
    assert "recites nothing of this text" in checked("recited", nothing) and "<h2" not in nothing.page
    answer, rest = fill((REPORT / "recited.rst").read_text(), nothing.numbers).split("\n", 1)
    assert answer == nothing.numbers["said"] and rest, "the console shows the first line"


def test_like_passages_stand_under_the_first_of_them():
    """They share eight words in a row, whether given or recited, or are the same few words."""
    words = [f"w{n}" for n in range(40)]
    # With the first, the second has 7 words in common, the third 8; the fourth is like the second.
    spans = [(0, 20), (13, 33), (12, 32), (25, 40)]
    given = [*(" ".join(words[start : start + 5]) + " " for start, _ in spans), "same ", "same ", "other "]
    recites = [*(" ".join(words[start + 5 : end]) for start, end in spans), "words", "words", "words"]
    where = {"start": range(100, 107), "end": range(120, 127), "line": range(1, 8), "file": [*"aabbccd"]}
    found = passages(**where)["recited"]
    found = found.assign(prefix=given, continuation=recites)
    groups = [group["line"].tolist() for group in recited_page.like_passages(found)]
    assert groups == [[1, 3], [2, 4], [5, 6], [7]]
    page = recited.draw(passages() | {"recited": found}, SETTINGS).page
    assert "<p>7 passages in 4 files. Those with the same 8 words in a row stand together" in page
    assert "which makes 4 groups." in page
    links = re.findall(r'<li><a href="#(.*?)">(.*?)</a> (.*?)</li>', page)
    assert links[0] == ("group-1", " ".join(words[5:20]), "2 passages in 2 files")
    assert [link for link, _, _ in links] == re.findall(r'<h3 id="(.*?)">', page) and len(links) == 4
    assert page.count("<pre>") == 4 and page.count("And 1 more like it") == 3
    assert all(f"line {line} (" in page for line in found["line"])


def test_the_page_is_safe_for_any_text_and_has_no_more_than_it_can_show(monkeypatch):
    monkeypatch.setattr(recited_page, "N_GROUPS", 1)
    words = {"prefix": ["<script>&", "b"], "continuation": "\u202e\x00\n ab"}
    found = passages(start=[100, 200], end=[116, 216], line=12, file="<a>.txt", **words)
    page = recited.draw(found, SETTINGS).page
    assert not [text for text in ("<script>", "<a>", "\u202e") if text in page]
    assert "http" not in page.split("<h1>")[1]
    assert "<pre>\n&lt;script&gt;&amp;<mark>\\u202e\\u0000\n ab</mark></pre>" in page
    assert "&lt;a&gt;.txt, line 12 (tokens 101 to 116 of its document)" in page
    assert page.count("<h3") == 1 and "2 groups. Shown are the first 1: table `recited` lists all." in page


def test_repeats_are_those_of_the_continuation_where_they_are_counted_for_all_paragraphs():
    found = tables(EM["all sets"])
    drawing = repeats.draw(found, SETTINGS)
    (axes,), data = drawing.figure.axes, drawing.data
    assert data["repeats_min"].min() == 2
    assert axes.lines[0].get_xydata().tolist() == data[["repeats_mean", "fraction"]].to_numpy().tolist()
    assert data["low"].isna().tolist() == (data["n_paragraphs"] < 6).tolist(), "too few for an interval"
    ends = [segment[:, 1].tolist() for segment in axes.collections[0].get_segments() if len(segment)]
    assert ends == data[["low", "high"]].dropna().to_numpy().tolist()
    assert data["n_memorized"].tolist() == [0, 0, 0, 0, 3] and len(axes.lines) == 1
    found["paragraphs"] = found["paragraphs"].assign(continuation_count=None)
    drawing = repeats.draw(found, SETTINGS)
    assert drawing.data["repeats_min"].min() == 1
    assert "they occur in the training text" in checked("repeats", drawing)
    assert counted_in({"paragraphs": pd.DataFrame({"continuation_count": [3, None]})}) == "corpus"
