"""The study of two models up to a figure across them, which needs the tables of both."""

import zipfile

import pandas as pd
import pytest

from memloc.figures.catalog import CHAPTERS, numbered
from memloc.tables import storage
from read_tables import read

CONFIG = "config/test-models.yaml"
MODELS = ("small", "large")
ACROSS = ("models_memorized",)  # the others need more analyses of both models


@pytest.fixture(scope="module")
def compared(own_clone):
    """A project in which the figure is drawn."""
    for model in MODELS:
        own_clone.make_here(CONFIG, f"{model}_sets")
    own_clone.snakemake("--cores", "2", *ACROSS, config=CONFIG)
    return own_clone


def results(project, model=""):
    return project.folder / "results/test-models" / model


def test_members_are_trained_on_the_same_paragraphs_and_differ(compared):
    paragraphs, stamps = [], []
    for model in MODELS:
        paragraphs.append(read(results(compared, model), "paragraphs"))
        stamps.append(storage.provenance(results(compared, model) / "tables/sets.parquet"))
        assert stamps[-1]["study"] == f"test-models/{model}"
        assert stamps[-1]["rule"] == f"{model}_sets"
    pd.testing.assert_frame_equal(*paragraphs)
    small, large = (stamp["model"] for stamp in stamps)
    assert small["sha256"] != large["sha256"] and small["n_parameters"] < large["n_parameters"]


def test_the_plotted_fractions_are_those_of_the_tables(compared):
    plotted = pd.read_csv(results(compared, "figures") / "models_memorized.csv")
    plotted = plotted[plotted["panel"] == "a"].set_index("model")
    assert list(plotted.index) == list(MODELS)
    for model in MODELS:
        sets = read(results(compared, model), "sets")["set"]
        assert plotted.loc[model, "n_memorized"] == (sets == "memorized").sum() > 0
        assert plotted.loc[model, "n_paragraphs"] == (sets != "unseen").sum() < len(sets)


def test_the_report_has_a_chapter_across_models(compared, tmp_path):
    compared.forked("--report", str(tmp_path / "report.zip"), *ACROSS, config=CONFIG)
    with zipfile.ZipFile(tmp_path / "report.zip") as report:
        page = report.read("report/report.html").decode()
    assert f'"{numbered(CHAPTERS["Across models"][0])[0]}"' in page and "This study is not finished" in page
    for name in ACROSS:
        assert f'"results/test-models/figures/{name}.png": ' in page


def test_a_member_that_changes_is_computed_again_and_no_other(compared):
    compared.edit(CONFIG, "    width: 128\n", "    width: 64\n")
    jobs = set(compared.jobs(*ACROSS, config=CONFIG))
    assert {"large_train_model", "large_sets", *ACROSS} <= jobs
    assert not {job for job in jobs if job.startswith("small_")}
    assert "large_paragraphs" not in jobs
