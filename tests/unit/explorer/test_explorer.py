"""What the page holds, next to plain loops over small tables."""

import json
import re

import numpy as np
import pandas as pd
import pytest
from unpacked import unpacked

from memloc.explorer import files, tokens
from memloc.explorer.contents import NEEDED, tables_on_page
from memloc.explorer.index import index_of
from memloc.explorer.json_values import described, json_rows
from memloc.explorer.selection import chosen_ids, cloud, corpus_counts
from memloc.figures.parts.perturbation_example import example_ids
from memloc.figures.parts.style import COLOURS
from memloc.settings.sections import sections
from memloc.tables.columns import Lengths
from memloc.tables.schemas import schema_of

SHAPE = tokens.Shape(24, 12, 2, 2)
SETTINGS = sections({"highlight": "auto", "paragraph": {"length": 24, "prefix": 12}})


# What is on the page.


def test_tables_are_those_that_the_page_shows_and_the_study_makes():
    made = [*NEEDED, "claims", "attention", "weight_noise"]
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


def test_all_paragraphs_are_in_the_cloud(tables):
    found = cloud(tables["scores"])
    assert sum(found["n"]) == len(tables["scores"])
    assert len(found["em"]) == len(found["nll"]) == len(found["n"])
    assert max(found["nll"]) <= tables["scores"].nll.max()
    width = tables["scores"].nll.max() / 80
    for em, nll, n in zip(*(found[name] for name in ("em", "nll", "n")), strict=True):
        own = tables["scores"][tables["scores"].em == em].nll
        inside = (own - nll).abs() <= width / 2 * (1 + 1e-6)
        assert inside.sum() >= n > 0


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


@pytest.mark.parametrize("rows", ["head_ranking", "head_ranking, the other way round", "no ranking"])
def test_without_an_example_the_page_opens_at_the_highlighted_head(tables, rows):
    ranking = tables["head_ranking"]
    first = ranking[(ranking.method == "combined") & (ranking["rank"] == 1)].iloc[0]
    expected = {"layer": first.layer, "head": first["head"]}
    if rows == "no ranking":
        tables, expected = {**tables}, {"layer": 0, "head": 0}
        del tables["head_ranking"]
    elif rows != "head_ranking":
        tables = {**tables, "head_ranking": ranking[::-1]}
    assert index_of([], tables, SETTINGS, SHAPE, {})["head"] == expected


def test_the_page_opens_at_the_head_that_attends_most_to_the_strongest_token_of_its_example(tables):
    ids = example_ids(tables)
    index = index_of(ids, tables, SETTINGS, SHAPE, {})
    position = tables["perturbed_paragraphs"].set_index("id").position[index["example"]]
    rows = tables["attention"]
    rows = rows[(rows.id == index["example"]) & (rows.position == position)]
    assert len(rows) == 4
    best = max(rows.itertuples(), key=lambda row: row.attention)
    assert index["head"] == {"layer": best.layer, "head": best.head}


def test_the_page_opens_at_the_first_example_of_figure_3_that_is_on_it(tables):
    ids = example_ids(tables)
    for first, name in enumerate(ids):
        there = ids[first:][::-1]
        found = tables | {"paragraphs": tables["paragraphs"][tables["paragraphs"].id.isin(there)]}
        assert index_of(there, found, SETTINGS, SHAPE, {})["example"] == name


def test_the_index_holds_the_sets_and_what_the_list_says_of_each_paragraph(tables):
    ids = tables["sets"].id.tolist()[::3]
    index = index_of(ids, tables, SETTINGS, tokens.Shape(24, 12, 2, 3), {"claims": "Claims"})
    sizes = [index[name] for name in ("n_tokens", "n_prefix", "n_layers", "n_heads")]
    assert sizes == [24, 12, 2, 3] and index["n_paragraphs"] == len(tables["sets"])
    assert index["tabs"] == [{"key": "claims", "title": "Claims"}]
    counts = {found["key"]: found["n"] for found in index["sets"]}
    assert counts == tables["sets"].set.value_counts().to_dict()
    assert all(found["colour"] == COLOURS[found["key"]] for found in index["sets"])
    assert [name for name in ("memorized", "non_memorized", "unseen") if name in counts] == [
        found["key"] for found in index["sets"] if not found["key"].startswith("partly")
    ]
    assert [row["id"] for row in index["paragraphs"]] == ids
    scores, texts = (tables[name].set_index("id") for name in ("scores", "paragraphs"))
    sets = tables["sets"].set_index("id")["set"]
    extraction = tables["extraction"]
    first = extraction[extraction.scheme == extraction.scheme.iloc[0]].set_index("id")["log_p"]
    for row in index["paragraphs"]:
        number = row["id"]
        assert (row["em"], row["set"]) == (scores.em[number], sets[number])
        assert row["nll"] == scores.nll[number] and row["text"] == texts.text[number]
        assert (row["repeats"], row["source"]) == (texts["count"][number], texts.file[number])
        expected = np.exp(first[number]) if number in first.index else None
        assert row["extraction"] == (expected if expected is None else pytest.approx(expected))


# Numbers.


def test_missing_numbers_of_rows_are_null():
    frame = pd.DataFrame({"a": [1.5, np.nan], "b": [np.inf, 2.0], "c": pd.array([1, None], "Int64")})
    assert json_rows(frame) == [{"a": 1.5, "b": None, "c": 1}, {"a": None, "b": 2.0, "c": None}]
    json.dumps(json_rows(frame), allow_nan=False)


def test_colourings_are_the_rows_of_the_tables(tables, pages):
    number = int(tables["perturbed_paragraphs"].id.iloc[0])
    values = {key: unpacked(found) for key, found in pages[number]["values"].items()}
    for row in tables["attention"].query("id == @number").itertuples():
        assert values["attention"][row.layer, row.head, row.position] == np.float32(row.attention)
    own = tables["perturbation"].query("id == @number")
    before = own[own.position == -1].iloc[0]
    for row in own[own.position >= 0].itertuples():
        assert values["effect"][row.position] == before.em - row.em
        assert values["nll_gained"][row.position] == pytest.approx(row.nll_original - before.nll_original)
    for row in tables["activation_gradients"].query("id == @number and component == 'v'").itertuples():
        key = "value_gradient" if row.group == "memorized" else "value_gradient_perturbed"
        assert values[key][row.layer, row.head, row.position] == np.float32(row.max_abs)
    for row in tables["residual_patching"].query("id == @number").itertuples():
        key = "residual_into_" + row.direction.rpartition("_")[2]
        assert values[key][row.layer, row.position] == np.float32(row.nll_change)
    nll = tables["token_statistics"].query("id == @number")
    np.testing.assert_array_equal(values["nll"][12:], nll.nll.to_numpy(np.float32))
    assert np.isnan(values["nll"][:12]).all()


def test_what_a_replaced_token_costs_is_the_mean_over_its_draws():
    """Token 1 is replaced twice, token 3 once; the others never."""
    rows = [(-1, 0, 12, 0.5), (1, 0, 2, 1.5), (1, 1, 8, 0.7), (3, 0, 12, 0.1)]
    frame = pd.DataFrame(rows, columns=["position", "draw", "em", "nll_original"])
    frame = frame.assign(id=7, set="memorized")
    nothing, shape = np.nan, tokens.Shape(6, 4, 2, 2)
    for key, expected in (("effect", [7, 0]), ("nll_gained", [0.6, -0.4])):
        found = tokens.COLOURINGS[key].values(frame, shape)
        np.testing.assert_allclose(found, [nothing, expected[0], nothing, expected[1], nothing, nothing])


def test_colourings_say_whose_numbers_they_show_and_in_which_unit(tables):
    """The unit is that of the table's column; only differences lie around zero, only counts are bent."""
    found = {one["key"]: one for one in described(tokens.COLOURINGS, tables)}
    columns = {"effect": "em", "nll_gained": "nll_original", "value_gradient": "max_abs"}
    columns |= {"residual_into_perturbed": "nll_change", "residual_into_memorized": "nll_change"}
    for key, name in columns.items():
        column = schema_of(found[key]["table"]).columns(Lengths())[name]
        unit = column.unit.replace("weight or activation", "value")
        assert found[key]["unit"] == unit, key
    heads = {"attention", "value_gradient", "value_gradient_perturbed"}
    layers = {"residual_into_perturbed", "residual_into_memorized"}
    assert {key for key, one in found.items() if one["of"] == "head"} == heads
    assert {key for key, one in found.items() if one["of"] == "layer"} == layers
    assert {key for key, one in found.items() if one["diverging"]} == {"nll_gained", *layers}
    assert [key for key, one in found.items() if one["logarithmic"]] == ["rarity"] == list(found)[-1:]
    units = [found[key]["unit"] for key in ("attention", "nll", "rarity")]
    assert units == ["share", "nats", "occurrences"]


def test_a_paragraph_without_a_perturbed_version_has_no_numbers_of_one(tables):
    rows = tables["activation_gradients"]
    number = rows.id.iloc[0]
    own = rows[(rows.id == number) & (rows.group == "memorized")]
    found = tokens.values_of_tokens({"activation_gradients": own}, SHAPE)
    assert set(found) == {"value_gradient"}


def test_a_paragraph_without_an_analysis_has_no_numbers_of_it(tables, pages):
    asked = set(tables["perturbation"].id)
    (number, *_) = set(pages) - asked
    assert not {"effect", "nll_gained"} & set(pages[number]["values"])
    assert pages[number]["replaced"] == [] and pages[number]["perturbed"] is None


def test_continuations_are_texts_of_the_tables_tokens(tables, pages):
    texts = tables["vocabulary"].set_index("token").text
    for row in tables["perturbed_paragraphs"].itertuples():
        found = pages[row.id]["perturbed"]
        assert found["tokens"] == [texts[token] for token in row.tokens[12:]]
        assert (found["text"], found["nll"]) == (texts[row.token], row.nll)
        expected = (row.position, row.impact_position, row.em)
        assert (found["position"], found["impact"], found["em"]) == expected
    for row in tables["near_verbatim"].itertuples():
        assert pages[row.id]["greedy"] == [texts[token] for token in row.continuation]
    counts = corpus_counts([tables["paragraphs"]], tables["sets"], tables["vocabulary"].token.max() + 1)
    paragraphs_of_sets = tables["paragraphs"][tables["paragraphs"].id.isin(pages)]
    for row in paragraphs_of_sets.itertuples():
        page = pages[row.id]
        assert page["tokens"] == [texts[token] for token in row.tokens]
        assert page["counts"] == [counts[token] for token in row.tokens]
        assert len(page["ranks"]) == 12
        rarer = [sum(counts[other] < counts[token] for other in row.tokens[:12]) for token in row.tokens[:12]]
        order = np.argsort(page["ranks"], kind="stable")
        assert [rarer[place] for place in order] == sorted(rarer), "rarest first"


def test_replaced_tokens_are_those_of_the_table(tables, pages):
    texts = tables["vocabulary"].set_index("token").text
    for number, own in tables["perturbation"].query("position >= 0").groupby("id"):
        expected = [
            {"position": row.position, "draw": row.draw, "em": row.em, "nll": row.nll_original}
            | {"text": texts[row.token]}
            for row in own.itertuples()
        ]
        assert pages[number]["replaced"] == expected


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
    shape = {"n_layers": 2, "n_heads": 3, "tabs": [{"key": "claims", "title": "Claims"}], "found": ["x < 1"]}
    for write in (files.write_page, files.write_comparison):
        (folder := tmp_path / write.__name__).mkdir()
    files.write_page(tmp_path / "write_page", {"study": "a<b>", "model": "tiny", **shape})
    files.write_comparison(tmp_path / "write_comparison", "a<b>", ["one", "other"])
    pages = [(folder / "index.html").read_text() for folder in sorted(tmp_path.iterdir(), reverse=True)]
    for page, folder in zip(pages, ("write_page", "write_comparison"), strict=True):
        named = set(re.findall(r'(?:src|href)="(page/[^"]+)"', page))
        assert named == {f"page/{path.name}" for path in (tmp_path / folder / "page").iterdir()}
        assert "a&lt;b&gt;" in page and "a<b>" not in page
    assert "2 layers × 3 heads" in pages[0] and "<li>x &lt; 1</li>" in pages[0]
    assert 'data-tab="claims"' in pages[0]
    assert "memloc.receive" in (tmp_path / "write_page/data/index.js").read_text()
    assert 'data-models="one other"' in pages[1]


def test_every_file_of_the_page_is_on_it():
    names = {path.name for path in files.PAGE.iterdir()}
    alone = {files.TEMPLATE, *files.STYLES, *files.SCRIPTS}
    assert names == alone | {files.COMPARISON, *files.COMPARISON_STYLES, *files.COMPARISON_SCRIPTS}
