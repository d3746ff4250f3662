"""A study opened outside of the workflow: tables with units, meanings and provenance, and clear errors."""

import pandas as pd
import pytest
from made_tables import STAMP, scores, write_without

import memloc
from memloc.run.errors import InputError
from memloc.tables import storage
from memloc.tables.schemas import schema_of
from memloc.tables.terms.claims import counted


@pytest.fixture
def folder(tmp_path):
    """A study with one table and its settings."""
    folder = tmp_path / "results/x"
    (folder / "tables").mkdir(parents=True)
    (folder / "run_config.yaml").write_text("study: x\nsets: {n_memorized: 6}\n")
    storage.write(schema_of("scores"), scores(), folder / "tables/scores.parquet", STAMP)
    return folder


def test_a_table_is_a_frame_with_units_and_provenance(folder):
    study = memloc.open_study(folder)
    frame = study.table("scores")
    pd.testing.assert_frame_equal(frame, scores())
    assert frame.attrs["units"]["nll"] == "nats per token" and "id" not in frame.attrs["units"]
    assert frame.attrs["provenance"] == {"table": "scores", **STAMP}
    assert frame[frame.em > 1].attrs == frame.attrs
    some = study.table("scores", ["id", "nll"])
    assert list(some) == ["id", "nll"] and some.attrs["units"] == {"nll": "nats per token"}


def test_a_study_says_what_it_holds(folder):
    study = memloc.open_study(str(folder))
    assert study.tables == ["scores"]
    assert study.settings["sets"]["n_memorized"] == 6
    described = study.columns("scores")
    assert list(described.index) == list(scores())
    expected = ["int64", "tokens", "Exact match: leading tokens of the continuation that the model predicts."]
    assert described.loc["em"].tolist() == expected
    assert described.loc["id", "unit"] == ""


def test_settings_that_no_target_has_written_say_which_one_does(folder):
    (folder / "run_config.yaml").unlink()
    with pytest.raises(InputError, match="run_config.yaml: not there; target run_config writes it"):
        assert memloc.open_study(folder).settings


def test_a_column_that_is_not_there_is_an_error_that_names_the_others(folder):
    with pytest.raises(InputError, match="table scores: no column 'nope'; there are id, em, nll, margin, "):
        memloc.open_study(folder).table("scores", ["id", "nope"])


def test_results_from_before_a_column_was_added_are_there_without_it(folder):
    file = folder / "tables/scores.parquet"
    write_without("margin", scores(), file)
    study = memloc.open_study(folder)
    pd.testing.assert_frame_equal(study.table("scores"), scores().drop(columns="margin"))
    assert list(study.columns("scores").index) == [*scores().drop(columns="margin")]
    with pytest.raises(InputError, match="table scores: no column 'margin'"):
        study.table("scores", ["id", "margin"])


@pytest.mark.parametrize("ask", ["table", "columns"])
def test_a_table_that_is_not_there_is_an_error_that_names_the_others(folder, ask):
    with pytest.raises(InputError, match="no table 'sets'; there are scores"):
        getattr(memloc.open_study(folder), ask)("sets")


def test_a_folder_without_tables_is_an_error_that_names_studies_below(folder):
    with pytest.raises(InputError, match=f"studies below it: {folder}$"):
        memloc.open_study(folder.parent)
    with pytest.raises(InputError, match="results/<study>/tables$"):
        memloc.open_study(folder / "tables")


def test_tables_of_seconds_lie_among_the_benchmarks(folder):
    study = memloc.open_study(folder)
    assert study.path("estimate") == folder / "benchmarks/estimate.parquet"
    (folder / "benchmarks").mkdir()
    study.path("estimate").touch()
    assert study.tables == ["estimate", "scores"]


@pytest.mark.parametrize(
    ("n", "unit", "words"),
    [(1, "head", "1 head"), (0, "head", "0 heads"), (1234, "order", "1,234 orders")]
    + [(1, "order", "1 order")],
)
def test_units_are_counted_in_words(n, unit, words):
    assert counted(n, unit) == words
