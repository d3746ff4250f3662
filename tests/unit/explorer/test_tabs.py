"""Tables beside the paragraphs are those of the study."""

import re
from pathlib import Path

import made_removal
import numpy as np
import pandas as pd
from drawn import assert_stored, rounded
from made_rankings import METHOD_LABELS

from memloc.explorer import tabs
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


def test_tabs_of_made_up_tables_are_as_stored():
    """Ways to remove; and recall and precision of methods for two kinds of grown memories."""
    asked = ("own", "zero_ablation", 0.2), ("own", "parameter_gradient", 0.4), ("twin", "zero_ablation", 0.1)
    rows = [
        {"kind": "grown_neurons", "asked_model": asked_model, "method": method, "memory": n, "id": 10 + n}
        | {"recall": recall + n / 100, "average_precision": 2 * recall - n / 100, "granularity": "neuron"}
        for asked_model, method, recall in asked
        for n in range(8)
    ]
    truth = pd.DataFrame(rows)
    other = truth[truth["method"] == "parameter_gradient"].assign(kind="grown_heads", granularity="head")
    made = made_removal.tables(ways=["top", "svd"]) | {"grown_truth": pd.concat([truth, other])}
    blocks = {name: tab["blocks"][0] for name, tab in tabs.tabs(made).items()}
    found = {f"{name}, rows": block["rows"] for name, block in blocks.items()}
    found |= {
        f"{name}, columns": {each["key"]: each.get("range") for each in block["columns"]}
        for name, block in blocks.items()
    }
    assert_stored(rounded(found), Path(__file__).with_name("tabs.json"))


def test_a_tab_whose_table_has_no_rows_is_not_there(tables):
    assert tabs.tabs({"claims": tables["claims"][:0], "removal": pd.DataFrame()}) == {}


def test_the_page_has_a_mark_and_a_colour_for_every_verdict():
    script = (Path(tabs.__file__).parent / "page/tabs.js").read_text()
    for name in ("MARKS", "KEYS"):
        (entries,) = re.findall(rf"const {name} = {{\s(.*?)\s}};", script, flags=re.DOTALL)
        assert re.findall(r'"?([a-z][a-z ]*)"?: "', entries) == list(VERDICTS)
