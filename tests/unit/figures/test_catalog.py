"""The catalog of figures, and every figure of one model on the stored tables."""

import importlib

import pytest
import yaml
from figure_labels import checked
from jobs import ROOT, STORED

from memloc.figures.catalog import FIGURES, chapters, numbered
from memloc.settings.errors import validate
from memloc.settings.sections import sections
from memloc.tables import storage
from memloc.tables.schemas import schema_of

STORED_TABLES = {path.stem for path in (STORED / "tables").glob("*.parquet")}
OF_ONE_MODEL = [
    figure
    for figure in FIGURES
    if {*figure.tables} <= STORED_TABLES and figure.only_for in (None, "embedded", "text")
]


@pytest.fixture(scope="module")
def settings():
    study = validate(yaml.safe_load((ROOT / "tests/rules/study.yaml").read_text()), "study.yaml")
    return sections(study.model_dump(mode="json"))


@pytest.mark.parametrize("figure", OF_ONE_MODEL, ids=lambda figure: figure.name)
def test_labels_can_be_read_and_captions_are_complete(figure, settings):
    paths = {name: STORED / f"tables/{name}.parquet" for name in figure.tables}
    tables = {name: storage.read(schema_of(name), path) for name, path in paths.items()}
    drawing = importlib.import_module(f"memloc.figures.{figure.name}").draw(tables, settings)
    assert checked(figure.name, drawing) and len(drawing.data)


def test_numbers_sort_in_reading_order():
    assert sorted(FIGURES, key=numbered) == list(FIGURES)
    assert numbered(FIGURES[0]) == ("2 Figures of the paper", "01"), "the explorer is the first chapter"


def test_chapters_hold_what_is_named_and_no_empty_ones_are_left():
    found = chapters({"fig2", "expected", "table1"})
    names = {title: [figure.name for figure in figures] for title, figures in found.items()}
    assert names == {"Figures of the paper": ["fig2", "table1"], "Claims": ["expected"]}
