"""The model that never saw the removed paragraphs, by the rules of a study that asks for it."""

import shutil

import numpy as np
import pandas as pd
import pytest
import yaml
from jobs import ROOT, STORED, jobs, scripts_here
from safetensors.numpy import load_file

from memloc.tables import storage
from memloc.tables.schemas import schema_of

OWN = {"retrain", "remove", "claims_removal", "removal"}


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """The stored study, two ways to remove, and the figure."""
    folder = tmp_path_factory.mktemp("retrained")
    settings = yaml.safe_load((ROOT / "tests/rules/study.yaml").read_text())
    small = yaml.safe_load((ROOT / "config/test.yaml").read_text())["remove"]
    settings["remove"] = small | {"ways": ["top", "retrained"]}
    settings["model"]["batch"] *= 4  # models of other text need not recite: fewer steps do
    (folder / "config.yaml").write_text(yaml.safe_dump(settings))
    shutil.copytree(STORED, folder / "results/stored")
    with scripts_here(folder) as run:
        for script, snakemake in jobs(ROOT, folder / "config.yaml", "removal").values():
            if snakemake.rule in OWN:
                run(script, snakemake)
    return folder / "results/stored"


def test_it_is_another_model_that_recites_no_removed_paragraph_as_surely(results):
    table = storage.read(schema_of("removal"), results / "tables/removal.parquet")
    nll = table[table["mode"] == "joint"].groupby("way")["nll"].mean()
    assert nll["retrained"] > nll["nothing"] + 1
    weights = (load_file(results / f"{name}/model.safetensors") for name in ("model", "retrained"))
    before, after = weights
    assert all(not np.array_equal(before[name], after[name]) for name in before)


def test_depth_is_that_of_both_ways_and_the_figure_is_drawn(results):
    rows = storage.read(schema_of("removal_depth"), results / "tables/removal_depth.parquet")
    assert set(rows["way"]) == {"top", "retrained"}
    assert set(rows.loc[rows["way"] == "retrained", "group"]) == {"removed", "kept"}
    plotted = pd.read_csv(results / "figures/removal.csv")
    distance = plotted[plotted["measure"] == "nll_distance"].set_index(["way", "mode"])["value"]
    assert distance["retrained", "joint"] == 0 < distance["top", "joint"]
    caption = (results / "figures/removal.rst").read_text()
    assert "Nearest to the model that never saw the paragraphs" in caption
