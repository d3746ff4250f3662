"""What the page holds, next to plain loops over small tables."""

import json
import re

import numpy as np
import pandas as pd
import pytest

from memloc.explorer import files, maps, tokens
from memloc.explorer.contents import NEEDED, tables_on_page
from memloc.explorer.index import index_of
from memloc.explorer.json_values import base64_array, json_rows
from memloc.explorer.selection import chosen_ids, corpus_counts
from memloc.settings.sections import sections

SHAPE = tokens.Shape(24, 12, 2, 2)
SETTINGS = sections({"highlight": None, "paragraph": {"length": 24, "prefix": 12}})


# What is on the page.


def test_tables_are_those_that_the_page_shows_and_the_study_makes():
    made = [*NEEDED, "claims", "attention", "layer_bypass"]
    assert tables_on_page(made) == [*NEEDED, "attention", "claims"]


def test_paragraphs_with_most_analyses_come_first_and_sets_take_turns():
    sets = pd.DataFrame(
        {
            "id": range(8),
            "set": ["memorized"] * 4 + ["non_memorized"] * 4,
            "sampled": [False, True, True, False, True, False, False, True],
            "continuation": [[1], [1], [1], None, [1], None, None, [1]],
        }
    )
    tables = {"sets": sets, "perturbed_paragraphs": pd.DataFrame({"id": [2]})}
    order = [2, 1, 4, 7, 0, 3, 5, 6]
    for n in range(1, 9):
        assert chosen_ids(tables, n) == sorted(order[:n])
    assert chosen_ids({"sets": sets}, 2) == [1, 4]


def test_tokens_are_counted_as_a_loop_counts_them(tables):
    sets = tables["sets"].set_index("id").set
    frame = tables["paragraphs"]
    counts = corpus_counts([frame.head(10), frame.iloc[10:]], tables["sets"], 300)
    expected = np.zeros(300, dtype=int)
    for row in frame.itertuples():
        if sets.get(row.id) in ("memorized", "non_memorized"):
            for token in row.tokens:
                expected[token] += 1
    np.testing.assert_array_equal(counts, expected)


@pytest.mark.parametrize(
    "rows", ["head_ranking", "the other way round", "a method with another head", "no ranking"]
)
def test_without_an_example_the_page_opens_at_the_highlighted_head(tables, rows):
    ranking = tables["head_ranking"]
    first = ranking[(ranking.method == "combined") & (ranking["rank"] == 1)].iloc[0]
    why = "first on average by the paper's methods"
    expected = {"layer": first.layer, "head": first["head"], "why": why}
    if rows == "no ranking":
        tables, expected = {**tables}, None
        del tables["head_ranking"]
    elif rows == "the other way round":
        tables = {**tables, "head_ranking": ranking[::-1]}
    elif rows == "a method with another head":  # and the mean of all puts a third one first
        turned = ranking["rank"].where(ranking["method"] != "patching", 5 - ranking["rank"])
        second = turned.replace({1: 2, 2: 1})
        turned = turned.where(ranking["method"] != "combined", second)
        tables = {**tables, "head_ranking": ranking.assign(rank=turned)}
        why += ", which put 2 different heads first"
        expected = {"layer": 0, "head": 1 - first["head"], "why": why}
    index = index_of([], tables, SETTINGS, SHAPE, {})
    assert index["interest"] == expected


# Numbers.


def test_missing_numbers_of_rows_are_null():
    frame = pd.DataFrame({"a": [1.5, np.nan], "b": [np.inf, 2.0], "c": pd.array([1, None], "Int64")})
    assert json_rows(frame) == [{"a": 1.5, "b": None, "c": 1}, {"a": None, "b": 2.0, "c": None}]
    json.dumps(json_rows(frame), allow_nan=False)


def test_what_a_replaced_token_costs_is_the_mean_over_its_draws():
    """Token 1 is replaced twice, token 3 once; the others never."""
    rows = [(-1, 0, 12, 0.5), (1, 0, 2, 1.5), (1, 1, 8, 0.7), (3, 0, 12, 0.1)]
    frame = pd.DataFrame(rows, columns=["position", "draw", "em", "nll_original"])
    frame = frame.assign(id=7, set="memorized")
    nothing, shape = np.nan, tokens.Shape(6, 4, 2, 2)
    for key, expected in (("effect", [7, 0]), ("nll_gained", [0.6, -0.4])):
        found = tokens.COLOURINGS[key].values(frame, shape)
        np.testing.assert_allclose(found, [nothing, expected[0], nothing, expected[1], nothing, nothing])


def test_a_paragraph_that_is_in_a_pair_too_has_every_head_once(tables):
    rows = tables["head_ablation"]
    twice = rows[rows["id"] == rows["id"].value_counts().idxmax()]
    lost = twice.groupby(["layer", "head"])["em_lost"].first().unstack().to_numpy()
    found = maps.maps_of_paragraph({"head_ablation": twice}, 12)["head_ablation"]
    assert len(twice) == 2 * lost.size
    assert found["exact match lost (tokens)"]["heads"] == base64_array(lost)


# Files.


def test_a_file_of_data_hands_over_its_content(tmp_path):
    files.write_data(tmp_path, "some", {"text": "a\u2028</script> \u00e9"})
    text = (tmp_path / "data/some.js").read_text()
    found = re.fullmatch(r'memloc\.receive\("some", (.*)\);\n', text)
    assert json.loads(found[1]) == {"text": "a\u2028</script> \u00e9"}
    with pytest.raises(ValueError):
        files.write_data(tmp_path, "bad", {"number": float("nan")})


def test_the_page_holds_its_styles_scripts_and_index_and_the_name_of_the_study(tmp_path):
    """Any name, also one that looks like markup; of two models the page knows the names."""
    shape = {"n_layers": 2, "n_heads": 3, "tabs": [{"key": "claims", "title": "Claims"}]}
    shape |= {"found": ["What? A tiny model.", "Is it? x < 1", "Is it? It is. So are all."]}
    for write in (files.write_page, files.write_comparison):
        (folder := tmp_path / write.__name__).mkdir()
    files.write_page(tmp_path / "write_page", {"study": "a<b>", **shape})
    files.write_comparison(tmp_path / "write_comparison", "a<b>", ["one", "other"])
    pages = [(folder / "index.html").read_text() for folder in sorted(tmp_path.iterdir(), reverse=True)]
    for page, folder in zip(pages, ("write_page", "write_comparison"), strict=True):
        named = set(re.findall(r'(?:src|href)="(page/[^"]+)"', page))
        assert named == {f"page/{path.name}" for path in (tmp_path / folder / "page").iterdir()}
        assert "a&lt;b&gt;" in page and "a<b>" not in page
    assert ">A tiny model.</p>" in pages[0] and "<p><b>Is it? </b>x &lt; 1</p>" in pages[0]
    assert "<details><summary><b>Is it? </b>It is. </summary>So are all.</details>" in pages[0]
    assert 'data-tab="claims"' in pages[0]
    assert "memloc.receive" in (tmp_path / "write_page/data/index.js").read_text()
    assert 'data-models="one other"' in pages[1]


def test_every_file_of_the_page_is_on_it():
    names = {path.name for path in files.PAGE.iterdir()}
    alone = {files.TEMPLATE, *files.STYLES, *files.SCRIPTS}
    assert names == alone | {files.COMPARISON, *files.COMPARISON_STYLES, *files.COMPARISON_SCRIPTS}
