"""Tables beside the paragraphs are those of the study."""

import re
from pathlib import Path

import made_removal
import numpy as np
import pandas as pd
import pytest
from made_rankings import METHOD_LABELS

from memloc.explorer import tabs
from memloc.figures.parts.removal import judged_ways
from memloc.statistics import uncertainty
from memloc.tables.terms.claims import VERDICTS
from memloc.tables.terms.head_ranking import PAPER_METHODS


def test_claims_and_ranks_are_those_of_the_tables(tables, claims):
    shown = tabs.tabs(tables)
    assert list(shown) == ["claims", "head_ranking"]
    (told,) = shown["claims"]["blocks"]
    rows = {row["statement"]: row for row in told["rows"]}
    for claim in claims.itertuples():
        row = rows.pop(claim.statement)
        assert row["verdict"] == claim.verdict
        ends = [getattr(claim, name) for name in ("value", "low", "high", "bound")]
        shown_ends = [row["value"][name] for name in ("value", "low", "high", "bound")]
        assert shown_ends == [end if np.isfinite(end) else None for end in ends]
        assert claim.work in row["source"] and claim.section in row["source"]
        n = f"; {claim.n:,} {claim.unit}{'s' * (claim.n != 1)}" if claim.n else ""
        assert row["quantity"] == f"{claim.scale} {claim.quantity}{n}"
        linked = [] if claim.verdict == "not applicable" else claim.figures.split()
        assert (row["reason"], row["figures"]) == (claim.reason, linked)
    assert rows == {}
    for verdict, n in claims.verdict.value_counts().items():
        assert f"{verdict}: {n}" in shown["claims"]["lead"]
    applies = [row["verdict"] != "not applicable" for row in told["rows"]]
    assert applies == sorted(applies, reverse=True)
    (ranking,) = shown["head_ranking"]["blocks"]
    ranks = tables["head_ranking"].set_index(["method", "layer", "head"])
    for row in ranking["rows"]:
        for method in PAPER_METHODS:
            own = ranks.loc[method, row["layer"], row["number"]]
            expected = {"value": own["rank"], "low": own["low"], "high": own["high"], "bound": None}
            assert row[method] == expected and row["head"] == f"layer {row['layer']}, head {row['number']}"
    firsts = [row["combined"]["value"] for row in ranking["rows"]]
    assert firsts == sorted(firsts) and len(firsts) == len(ranks.loc["combined"])
    assert {column["label"].lower() for column in ranking["columns"][1:]} == set(METHOD_LABELS.values())


def test_grown_truth_is_a_line_per_place_with_the_best_method_first():
    """Recall and precision are means over paragraphs, each with its interval."""
    random = np.random.default_rng(0)
    rows = [
        {"kind": "grown_neurons", "control": control, "method": method, "memory": n, "id": 10 + n}
        | {"recall_1": recall + n / 100, "average_precision": precision - n / 100}
        for control, method, recall, precision in (
            ("own", "zero_ablation", 0.2, 0.5),
            ("own", "parameter_gradient", 0.4, 0.8),
            ("twin", "zero_ablation", 0.1, 0.3),
        )
        for n in random.permutation(8)
    ]
    truth = pd.DataFrame(rows).assign(granularity="neuron")
    (block,) = tabs.tabs({"grown_truth": truth})["grown_truth"]["blocks"]
    assert [(row["control"], row["method"]) for row in block["rows"]] == [
        ("its own model", "parameter gradients"),
        ("its own model", "zero ablation"),
        ("its twin", "zero ablation"),
    ]
    assert block["filter"] == "control" and block["only"] == "its own model"
    first, *_, last = block["rows"]
    expected = uncertainty.mean(0.4 + np.arange(8) / 100)
    shown = first["grown_neurons"]
    assert [shown[end] for end in ("value", "low", "high")] == pytest.approx(expected[:3])
    assert shown["bound"] is None
    assert first["grown_neurons_precision"] == "n = 8, average precision 0.77"
    other = truth[truth["method"] == "parameter_gradient"].assign(kind="grown_heads", granularity="head")
    (block,) = tabs.tabs({"grown_truth": pd.concat([truth, other])})["grown_truth"]["blocks"]
    assert [column["key"] for column in block["columns"]] == ["method", "grown_heads", "grown_neurons"]
    assert block["rows"][-1]["grown_heads"]["value"] is None, "it was not asked"
    assert block["rows"][-1] | last == block["rows"][-1] and block["rows"][-1]["grown_heads_precision"] == ""


def test_ways_to_remove_are_those_of_the_figure():
    tables = made_removal.tables(ways=["top", "svd"])
    (block,) = tabs.tabs(tables)["removal"]["blocks"]
    assert [(row["way"], row["mode"], row["n"]) for row in block["rows"]] == [
        ("the model as it is", "together", "n = 8"),
        ("top gradients", "together", "n = 8"),
        ("top gradients", "one by one", "n = 2"),
        ("small singular components", "together", "n = 8"),
    ]
    top, single = block["rows"][1:3]
    assert single["forgotten"] == {"value": 37, "low": None, "high": None, "bound": None}
    found = judged_ways(tables).query("way == 'top' and mode == 'joint'").set_index("measure")
    ranges = {column["key"]: column["range"] for column in block["columns"] if column["kind"] == "interval"}
    for name in ranges:
        ends = found.loc[name, ["value", "low", "high"]]
        assert [top[name][end] for end in ends.index] == ends.astype(object).where(
            ends.notna(), None
        ).tolist()
    assert top["setting"] == "share 0.1" and ranges["forgotten"] == [0, found.loc["forgotten", "high"]]
    assert ranges["recited_shifted"] == [0, pytest.approx(0.5)]  # of which no value is near 0
    assert all(row[column["key"]] is not None for row in block["rows"] for column in block["columns"])


def test_a_tab_whose_table_has_no_rows_is_not_there(tables):
    assert tabs.tabs({"claims": tables["claims"][:0], "removal": pd.DataFrame()}) == {}


GROWN = {"kind": ["grown_neurons"], "control": ["own"], "method": ["zero_ablation"], "memory": [0]}
GROWN |= {"id": [0]} | {"recall_1": [0.2], "average_precision": [0.5], "granularity": ["neuron"]}


def test_the_page_has_a_mark_and_a_colour_for_every_verdict():
    script = (Path(tabs.__file__).parent / "page/tabs.js").read_text()
    for name in ("MARKS", "KEYS"):
        (entries,) = re.findall(rf"const {name} = {{\s(.*?)\s}};", script, flags=re.DOTALL)
        assert re.findall(r'"?([a-z][a-z ]*)"?: "', entries) == list(VERDICTS)
