"""What the page holds, next to plain loops over small tables."""

import base64
import json
import re

import made_removal
import numpy as np
import pandas as pd
import pytest
from jobs import STORED

from memloc.explorer import files, maps, tabs, tokens
from memloc.explorer.contents import left_out, tables_on_page
from memloc.explorer.index import index_of
from memloc.explorer.json_values import base64_array, json_rows
from memloc.explorer.paragraph import paragraphs
from memloc.explorer.selection import chosen_ids, cloud, corpus_counts
from memloc.figures.parts.style import COLOURS, METHOD_LABELS
from memloc.settings.explorer import NEEDED, SHOWN
from memloc.settings.sections import sections
from memloc.statistics import uncertainty
from memloc.tables import storage
from memloc.tables.schemas import schema_of
from memloc.tables.terms import METHODS

SHAPE = tokens.Shape(24, 12, 2, 2)
SETTINGS = sections({"highlight": "auto", "sets": {}, "paragraph": {"length": 24, "prefix": 12}})
ABSENT = ("planted_truth", "removal", "removal_damage")  # the stored study plants and removes nothing


def unpacked(found):
    return np.frombuffer(base64.b64decode(found["data"]), "<f4").reshape(found["shape"])


@pytest.fixture(scope="module")
def tables():
    names = [*NEEDED, *(name for name in SHOWN if name not in ABSENT)]
    return {name: storage.read(schema_of(name), STORED / f"tables/{name}.parquet") for name in names}


@pytest.fixture(scope="module")
def pages(tables):
    """Every paragraph's content by its id."""
    ids = tables["sets"].id.tolist()
    counts = corpus_counts([tables["paragraphs"]], tables["sets"], tables["vocabulary"].token.max() + 1)
    return dict(paragraphs(ids, tables, SHAPE, counts))


# What is on the page.


def test_by_default_every_table_of_the_study_is_there_or_its_absence_explained():
    made = [*NEEDED, "claims", "attention", "weight_noise"]
    assert tables_on_page(made, None) == [*NEEDED, "attention", "claims"]
    why = left_out(made, None)
    assert why["weight_noise"] == "shown by its figures only"
    assert why["patching"] == "this study does not make it"
    assert set(why) == set(SHOWN) - {"attention", "claims"} | {"weight_noise"}


def test_tables_that_a_setting_leaves_out_are_named():
    made = [*NEEDED, "claims", "attention"]
    assert tables_on_page(made, ["claims", "patching"]) == [*NEEDED, "claims"]
    assert left_out(made, ["claims"])["attention"] == "not among explorer.tables"


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
def test_the_page_opens_at_the_highlighted_head(tables, rows):
    ranking = tables["head_ranking"]
    first = ranking[(ranking.method == "combined") & (ranking["rank"] == 1)].iloc[0]
    expected = {"layer": first.layer, "head": first["head"]}
    if rows == "no ranking":
        tables, expected = {**tables}, {"layer": 0, "head": 0}
        del tables["head_ranking"]
    elif rows != "head_ranking":
        tables = {**tables, "head_ranking": ranking[::-1]}
    assert index_of([], tables, SETTINGS, SHAPE, {})["head"] == expected


def test_the_index_holds_the_sets_and_what_the_list_says_of_each_paragraph(tables):
    ids = tables["sets"].id.tolist()[::3]
    index = index_of(ids, tables, SETTINGS, SHAPE, {"claims": "Claims"})
    sizes = [index[name] for name in ("n_tokens", "n_prefix", "n_layers", "n_heads")]
    assert sizes == [24, 12, 2, 2] and index["n_paragraphs"] == len(tables["sets"])
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
        assert row["repeats"] == texts["count"][number]
        expected = np.exp(first[number]) if number in first.index else None
        assert row["extraction"] == (expected if expected is None else pytest.approx(expected))


# Numbers.


def test_packed_numbers_come_back_as_single_precision():
    values = np.array([[0.1, np.nan], [-3.5, 1e-7]])
    np.testing.assert_array_equal(unpacked(base64_array(values)), values.astype(np.float32))


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
    nll = tables["token_statistics"].query("id == @number and continuation == 'corpus'")
    np.testing.assert_array_equal(values["nll"][12:], nll.nll.to_numpy(np.float32))
    assert np.isnan(values["nll"][:12]).all()


def test_tokens_have_the_nll_of_the_corpus_and_not_of_what_the_model_says(tables):
    rows = tables["token_statistics"]
    number = rows.loc[rows.continuation == "model", "id"].iloc[0]
    own = rows[rows.id == number]
    corpus, model = (own[own.continuation == name].nll.to_numpy(np.float32) for name in ("corpus", "model"))
    assert (corpus != model).any()
    for order in (own, own[::-1]):
        found = tokens.COLOURINGS["nll"].values(order.reset_index(drop=True), SHAPE)
        np.testing.assert_array_equal(found[12:], corpus)


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
        assert (found["position"], found["impact"], found["em"]) == (
            row.position,
            row.impact_position,
            row.em,
        )
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


# Maps.


def test_maps_of_patching_are_its_rows_and_their_means(tables, pages):
    rows = tables["patching"]
    of_sets = maps.maps_of_sets(tables)["patching"]["memorized"]
    for (direction, component), own in rows.groupby(["direction", "component"]):
        label = f"{component} {maps.INTO[direction]}"
        means = unpacked(of_sets[label]["heads"])
        for (layer, head), same in own.groupby(["layer", "head"]):
            assert means[layer, head] == pytest.approx(same.nll_change.mean(), rel=1e-5, abs=1e-9)
        for row in own.itertuples():
            found = unpacked(pages[row.id]["maps"]["patching"][label]["heads"])
            assert found[row.layer, row.head] == np.float32(row.nll_change)


def test_maps_of_gradients_show_the_largest_head_component_and_mlps(tables):
    found = maps.maps_of_sets(tables)["gradients"]["memorized"]
    rows = tables["parameter_gradients"].query("group == 'memorized'")
    heads = unpacked(found[maps.STRONGEST]["heads"])
    for (layer, head), own in rows.dropna(subset="head").groupby(["layer", "head"]):
        assert heads[layer, int(head)] == np.float32(own.max_abs.max())
    for component, own in rows[rows["head"].isna()].groupby("component"):
        column = unpacked(found[maps.STRONGEST]["columns"][component])
        np.testing.assert_array_equal(column, own.sort_values("layer").max_abs.to_numpy(np.float32))
    assert set(found) == {maps.STRONGEST, "W_Q", "W_K", "W_V", "W_O"}


def test_activation_gradients_of_a_paragraph_are_means_over_the_prefix(tables, pages):
    rows = tables["activation_gradients"].query("position < 12")
    keys = ["id", "group", "component", "layer", "head"]
    for (number, group, component, layer, head), own in rows.dropna().groupby(keys, observed=True):
        found = pages[number]["maps"]["activation_gradients"][f"{component}, {group}"]["heads"]
        assert unpacked(found)[layer, int(head)] == pytest.approx(own.max_abs.mean(), rel=1e-5)


def test_maps_of_sets_are_means_of_their_own_rows(tables):
    """Of sets, kinds of ablation, correlations and ranks, each by its name."""
    found = maps.maps_of_sets(tables)
    sets = tables["sets"].set_index("id")["set"]
    entropy = tables["attention_entropy"]
    for (name, layer, head), own in entropy.groupby([entropy.id.map(sets), "layer", "head"]):
        shown = unpacked(found["attention_entropy"][name]["entropy"]["heads"])
        assert shown[layer, head] == pytest.approx(own.entropy.mean(), rel=1e-5)
    labels = {"nll_gained": "NLL gained", "em_lost": "exact match lost"}
    keys = ["group", "replacement", "layer", "head"]
    for (group, replacement, layer, head), own in tables["head_ablation"].groupby(keys):
        for name, label in labels.items():
            shown = unpacked(found["head_ablation"][group][f"{label}, {replacement} ablation"]["heads"])
            assert shown[layer, head] == pytest.approx(own[name].mean(), rel=1e-5, abs=1e-6)
    for row in tables["rare_token_correlation"].itertuples():
        for label, name in (("summed attention (paper)", "pearson"), ("mean per occurrence", "pearson_mean")):
            shown = unpacked(found["rare_tokens"][maps.ALL][label]["heads"])
            assert shown[row.layer, row.head] == np.float32(getattr(row, name))
    for row in tables["head_ranking"].itertuples():
        shown = unpacked(found["ranks"][maps.ALL][METHOD_LABELS[row.method]]["heads"])
        assert shown[row.layer, row.head] == row.rank
    for row in tables["activation_bins"].dropna(subset="head").itertuples():
        shown = unpacked(found["activation_gradients"][row.group][row.component]["heads"])
        assert shown[row.layer, int(row.head)] == np.float32(row.mean_max_abs)


def test_every_described_map_has_numbers(tables, pages):
    of_sets = maps.maps_of_sets(tables)
    of_paragraphs = set().union(*(content["maps"] for content in pages.values()))
    assert {found["key"] for found in maps.described(tables)} == set(of_sets) | of_paragraphs


# Planted truth.


@pytest.fixture
def planted():
    rows = [
        ("head_vo", "gradient_largest", 1.0),
        ("head_vo", "rare_tokens", 0.5),
        ("head_vo", "activation_gradient", 0.1),
        ("head_vo", "random", 0.25),
    ]
    columns = ["kind", "method", "average_precision"]
    return pd.DataFrame(rows, columns=columns).assign(granularity="head", control="plant", criterion=True)


def test_methods_count_by_what_they_find_of_planted_heads(planted, tables):
    found = maps.maps_of_sets(tables | {"planted_truth": planted})["planted"][maps.ALL]
    ((label, variant),) = found.items()
    assert label == "parameter gradients 0.75, attention to rare tokens 0.25"
    ranks = tables["head_ranking"].set_index(["method", "layer", "head"])["rank"]
    for (layer, head), value in np.ndenumerate(unpacked(variant["heads"])):
        first, second = (ranks[name, layer, head] for name in ("parameter_gradient", "rare_tokens"))
        assert value == pytest.approx(0.75 * first + 0.25 * second)


def test_without_planted_heads_that_a_method_finds_no_map_is_weighted(planted, tables):
    elsewhere = planted.assign(kind="neurons")
    unfound = planted[planted.method.isin(["activation_gradient", "random"])]
    for rows in (elsewhere, unfound):
        assert maps.maps_of_sets(tables | {"planted_truth": rows})["planted"] == {}


# Tabs and files.


def test_claims_and_ranks_are_those_of_the_tables(tables):
    shown = tabs.tabs(tables)
    assert list(shown) == ["claims", "head_ranking"]
    (claims,) = shown["claims"]["blocks"]
    rows = {row["statement"]: row for row in claims["rows"]}
    for claim in tables["claims"].itertuples():
        row = rows.pop(claim.statement)
        assert row["verdict"] == claim.verdict
        ends = [getattr(claim, name) for name in ("value", "low", "high", "bound")]
        shown_ends = [row["value"][name] for name in ("value", "low", "high", "bound")]
        assert shown_ends == [end if np.isfinite(end) else None for end in ends]
        assert claim.work in row["source"] and claim.quantity in row["quantity"]
        assert (row["reason"], row["figures"]) == (claim.reason, claim.figures.split())
    assert rows == {}
    for verdict, n in tables["claims"].verdict.value_counts().items():
        assert f"{verdict}: {n}" in shown["claims"]["lead"]
    applies = [row["verdict"] != "not applicable" for row in claims["rows"]]
    assert applies == sorted(applies, reverse=True)
    (ranking,) = shown["head_ranking"]["blocks"]
    ranks = tables["head_ranking"].set_index(["method", "layer", "head"])
    for row in ranking["rows"]:
        for method in METHODS:
            own = ranks.loc[method, row["layer"], row["number"]]
            expected = {"value": own["rank"], "low": own["low"], "high": own["high"], "bound": None}
            assert row[method] == expected and row["head"] == f"layer {row['layer']}, head {row['number']}"
    firsts = [row["combined"]["value"] for row in ranking["rows"]]
    assert firsts == sorted(firsts) and len(firsts) == len(ranks.loc["combined"])
    assert {column["label"].lower() for column in ranking["columns"][1:]} == set(METHOD_LABELS.values())


def test_planted_truth_is_by_kind_and_asker_with_the_best_method_first():
    """Recall and precision are means over plants, each with its interval."""
    random = np.random.default_rng(0)
    rows = [
        {"kind": "neurons", "control": control, "method": method, "plant": plant}
        | {"recall_1": recall + plant / 100, "average_precision": precision - plant / 100}
        for control, method, recall, precision in (
            ("plant", "zero_ablation", 0.2, 0.5),
            ("plant", "gradient_largest", 0.4, 0.8),
            ("twin", "zero_ablation", 0.1, 0.3),
        )
        for plant in random.permutation(8)
    ]
    truth = pd.DataFrame(rows).assign(granularity="neuron", criterion=True)
    (block,) = tabs.tabs({"planted_truth": truth})["planted_truth"]["blocks"]
    assert [(row["kind"], row["control"], row["method"], row["n"]) for row in block["rows"]] == [
        ("neurons of a layer", "the plant", "largest gradient", 8),
        ("neurons of a layer", "the plant", "zero ablation", 8),
        ("neurons of a layer", "the unplanted twin", "zero ablation", 8),
    ]
    for name, values in (("recall", 0.4 + np.arange(8) / 100), ("precision", 0.8 - np.arange(8) / 100)):
        expected = uncertainty.mean(values)
        shown = block["rows"][0][name]
        assert [shown[end] for end in ("value", "low", "high")] == pytest.approx(expected[:3])
        assert shown["bound"] is None


def test_the_study_says_where_every_table_comes_from_and_what_is_missing():
    about = {"study": "mini", "seed": 7, "versions": {"torch": "2"}, "config_hash": "a", "code": "b"}
    provenance = {
        "sets": about | {"rule": "split", "model": None},
        "scores": about | {"rule": "score", "model": {"n_layers": 4, "revision": None}, "code": "c"},
    }
    found = tabs.study("seed: 7", provenance, {"removal": "this study does not make it"})
    facts, origin, missing, settings = found["blocks"]
    named = {row["name"]: row["value"] for row in facts["rows"]}
    assert named == {"study": "mini", "seed": "7", "model: layers": "4", "version of torch": "2"}
    assert origin["rows"] == [
        {"table": "sets", "rule": "split", "settings": "a", "code": "b"},
        {"table": "scores", "rule": "score", "settings": "a", "code": "c"},
    ]
    assert missing["rows"] == [{"table": "removal", "why": "this study does not make it"}]
    assert settings["text"] == "seed: 7"


def test_ways_to_remove_are_those_of_the_figure():
    shown = tabs.tabs(made_removal.tables(ways=["top", "svd"]))
    (block,) = shown["removal"]["blocks"]
    assert [(row["way"], row["mode"], row["n"]) for row in block["rows"]] == [
        ("the model as it is", "together", "n = 8"),
        ("top gradients", "together", "n = 8"),
        ("top gradients", "one by one", "n = 2"),
        ("small singular components", "together", "n = 8"),
    ]
    top, single = block["rows"][1:3]
    assert single["forgotten"] == {"value": 37, "low": None, "high": None, "bound": None}
    ends = uncertainty.mean(np.array([39, 41] * 4))
    assert [top["forgotten"][name] for name in ("low", "high")] == pytest.approx([ends.low, ends.high])
    kept = [
        top[name]["value"] for name in ("em_own_lost", "nll_gained", "recited_perturbed", "edit_distance")
    ]
    assert kept == pytest.approx([5, 0.05, 1 / 8, 1 - 0.2 / 8])
    assert top["setting"] == "share 0.1" and top["forgotten"]["value"] == pytest.approx(40)
    assert top["recited_shifted"]["value"] == pytest.approx(0.5)
    ranges = {column["key"]: column["range"] for column in block["columns"] if column["kind"] == "interval"}
    assert ranges["forgotten"] == [0, pytest.approx(ends.high)]
    assert ranges["recited_shifted"] == [0, pytest.approx(0.5)]  # of which no value is near 0
    assert all(row[column["key"]] is not None for row in block["rows"] for column in block["columns"])


def test_a_file_of_data_hands_over_its_content(tmp_path):
    files.write_data(tmp_path, "some", {"text": "a\u2028</script> \u00e9"})
    text = (tmp_path / "data/some.js").read_text()
    found = re.fullmatch(r'memloc\.receive\("some", (.*)\);\n', text)
    assert json.loads(found[1]) == {"text": "a\u2028</script> \u00e9"}
    with pytest.raises(ValueError):
        files.write_data(tmp_path, "bad", {"number": float("nan")})


def test_every_file_of_the_page_is_on_it():
    names = {path.name for path in files.PAGE.iterdir()}
    alone = {files.TEMPLATE, *files.STYLES, *files.SCRIPTS}
    assert names == alone | {files.COMPARISON, *files.COMPARISON_STYLES, *files.COMPARISON_SCRIPTS}


def test_maps_of_both_signs_are_coloured_around_zero(tables):
    """Correlations and differences have both; sizes, entropies and ranks have none below zero."""
    signed = {"rare_tokens", "patching", "attribution_patching", "head_ablation"}
    found = maps.described(tables)
    assert {one["key"] for one in found if one["diverging"]} == signed & {one["key"] for one in found}
    assert {key for key, one in maps.MAPS.items() if one.diverging} == signed
    assert {key for key, one in maps.MAPS.items() if one.ascending} == {"ranks", "planted"}
