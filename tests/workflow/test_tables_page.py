"""The examples of docs/tables.md and the cells of its notebook run on a finished study."""

import re

import matplotlib
import nbformat
import pytest
from jobs import ROOT
from matplotlib import pyplot

NOTEBOOK = nbformat.read(ROOT / "docs/tables.ipynb", as_version=4)
CELLS = [cell for cell in NOTEBOOK.cells if cell.cell_type == "code"]


def in_the_test_study(code):
    assert "results/" not in code or "results/mini" in code
    return code.replace("results/mini", "results/test")


@pytest.fixture(autouse=True)
def place(finished, monkeypatch):
    """Code runs in the folder of the finished study, and shows no window."""
    monkeypatch.chdir(finished.folder)
    monkeypatch.setattr(matplotlib.rcParams, "backend", "agg", raising=False)
    yield
    pyplot.close("all")


def test_the_examples_of_the_page_run(capsys):
    blocks = re.findall(r"(?ms)^```python\n(.*?)^```", (ROOT / "docs/tables.md").read_text())
    assert len(blocks) == 3
    for block in blocks:
        exec(in_the_test_study(block), {})
    said = capsys.readouterr().out
    assert "nats per token" in said and "mean_em" in said and "first_share" in said


def test_the_cells_of_the_notebook_run():
    names = {}
    for cell in CELLS:
        exec(in_the_test_study(cell.source), names)
    assert names["axes"].get_ylabel() == "NLL [nats per token]"
    assert names["axes"].get_xlabel() == "occurrences in the corpus"
