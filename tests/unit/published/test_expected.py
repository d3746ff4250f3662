"""Published numbers next to those of a run: compared exactly, nothing assumed."""

import re

import pandas as pd
import pytest
from drawn import column_of
from figure_labels import REPORT

from memloc.figures import expected as expected_figure
from memloc.published import expected
from memloc.published.expected import compare
from memloc.run.templates import fill
from memloc.settings.sections import sections
from memloc.tables import storage
from memloc.tables.schemas import schema_of


@pytest.fixture
def run():
    """Six paragraphs of a run: a, b, c are memorized, d and e are not, f is dropped."""
    return {
        "paragraphs": pd.DataFrame(
            {"id": range(6), "count": [9, 8, 7, 60000, 1, 500], "tokens": [[0]] * 6, "text": list("abcdef")}
        ),
        "scores": pd.DataFrame({"id": range(5), "em": [50, 50, 50, 49, 3], "nll": [0.1, 0.2, 0.3, 0.4, 3.0]}),
        "n_continuation": 50,
    }


def test_numbers_of_the_run_are_those_of_kept_paragraphs(run):
    sizes = {"n_memorized": 3, "n_non_memorized": 1, "n_partly_11_29": 0, "n_partly_30_49": 1}
    assert expected.run_numbers(**run) == sizes | {"n_paragraphs": 5, "max_count": 60_000}
    fewer = run | {"scores": run["scores"][3:]}
    assert expected.run_numbers(**fewer)["n_memorized"] == 0
    assert expected.run_numbers(**run | {"scores": run["scores"][:0]})["max_count"] == 0


def test_comparison_is_exact_and_open_where_nothing_is_expected(run):
    found = expected.run_numbers(**run)
    frame = compare({"n_paragraphs": 5, "n_memorized": 442, "max_count": None}, found).set_index("quantity")
    assert frame["found"].to_dict() == found
    assert frame.loc["n_paragraphs", "agrees"] and not frame.loc["n_memorized", "agrees"]
    assert frame.loc[["n_non_memorized", "max_count"], ["expected", "agrees"]].isna().all(axis=None)


def test_ranks_and_the_correlation_are_those_of_the_published_head_and_layer():
    numbers = {"rank_of_head": 1, "key_query_layer": 1, "n_unique_tokens": 7, "rare_token_correlation": -0.9}
    settings = sections({"highlight": {"layer": 0, "head": 1}, "expected": {"numbers": numbers}})
    heads = pd.DataFrame({"layer": [0, 0, 1], "head": [0, 1, 1], "pearson": [-0.1, -0.914, 0.3]})
    first = dict(zip(expected.RANKED_BY, (1, 4, 7), strict=True))
    ranks = pd.concat(heads.assign(method=name, rank=[9, rank, 2]) for name, rank in first.items())
    impact = [("perturbed", 0, 9.0), ("perturbed", 1, 2.0), ("perturbed", 1, 8.0), ("other", 0, 99.0)]
    impact = pd.DataFrame(impact, columns=["group", "layer", "max_abs"])
    tables = {"head_ranking": ranks, "impact_gradients": impact}
    tables["rare_token_correlation"] = heads.assign(n_unique_tokens=8)
    of_ranks = {"rank_key_query_layer": 1} | {f"rank_{name}": rank for name, rank in first.items()}
    asked, found = expected.localized_numbers(settings.expected.numbers, tables, settings)
    assert asked == dict.fromkeys(of_ranks, 1) | {"n_unique_tokens": 7, "rare_token_correlation": -0.9}
    assert found == of_ranks | {"n_unique_tokens": 8, "rare_token_correlation": -0.91}
    asked, _ = expected.localized_numbers({}, tables, settings)
    assert set(asked.values()) == {None}


def test_table_and_figure_take_what_is_compared(run, tmp_path):
    comparison = compare({"n_memorized": 3, "max_count": 61_000}, expected.run_numbers(**run))
    schema, stamp = schema_of("expected"), {"paragraph": {"length": 100, "prefix": 50}}
    storage.write(schema, comparison, tmp_path / "expected", stamp)
    drawing = expected_figure.draw({"expected": storage.read(schema, tmp_path / "expected")}, {})
    assert drawing.numbers == {"n_compared": 2, "n_agree": 1}
    columns = {title: column_of(drawing.figure, title) for title in expected_figure.HEADER}
    assert columns["quantity"] == [expected_figure.LABELS[name] for name in comparison["quantity"]]
    assert columns["published"] == ["3", "61,000"] and columns["equal"] == ["yes", "no"]
    assert columns["this run"] == [f"{found:,.0f}" for found in comparison["found"]]
    rows = {name: cells for name, *cells in cells_of(drawing.page)}
    assert rows[expected_figure.LABELS["n_memorized"]] == ["3", "3", "yes"]
    assert rows[expected_figure.LABELS["max_count"]] == ["61,000", "60,000", "no"]
    assert rows["non-memorized paragraphs"] == ["", "1", ""]
    caption = (REPORT / "expected.rst").read_text()
    assert "1 of 2 published numbers" in fill(caption, drawing.numbers)


def cells_of(page):
    """Cells of each row of a page's table."""
    return filter(None, (re.findall("<td>(.*?)</td>", row) for row in page.split("<tr>")))
