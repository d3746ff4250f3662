"""Tables beside the paragraphs are those of the study."""

import re
from pathlib import Path

import made_removal
import pandas as pd
from drawn import assert_stored, rounded

from memloc.explorer import tabs
from memloc.tables.terms.claims import VERDICTS


def test_tabs_are_as_stored(tables):
    """Claims and ranks of the stored study; ways to remove, recall and precision of methods, made up."""
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
    found = {}
    for name, tab in tabs.tabs({**made, **tables}).items():
        block = tab["blocks"][0]
        columns = {each["key"]: [each["label"], each.get("range")] for each in block["columns"]}
        found |= {f"{name}, lead": tab["lead"], f"{name}, rows": block["rows"], f"{name}, columns": columns}
    assert_stored(rounded(found), Path(__file__).with_name("tabs.json"))


def test_a_tab_whose_table_has_no_rows_is_not_there(tables):
    assert tabs.tabs({"claims": tables["claims"][:0], "removal": pd.DataFrame()}) == {}


def test_the_page_has_a_mark_and_a_colour_for_every_verdict():
    script = (Path(tabs.__file__).parent / "page/tabs.js").read_text()
    (entries,) = re.findall(r"const VERDICTS = {\s(.*?)\s};", script, flags=re.DOTALL)
    assert re.findall(r'"?([a-z][a-z ]*)"?: \["', entries) == list(VERDICTS)
