"""The script that measures deviations from the authors' code, on the stored study."""

import re
import shutil

import numpy as np
import pytest
import torch
import yaml
from jobs import ROOT, STORED

from deviations.__main__ import EFFECTS, HEADING, with_effects
from deviations.edits import ALL, Change, edited, stored
from deviations.localization import contrastive_scores
from deviations.run import Run
from memloc.settings.documentation import effective
from memloc.settings.errors import validate

CONFIG = ROOT / "tests/rules/study.yaml"


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = shutil.copytree(STORED, tmp_path_factory.mktemp("finished") / "stored")
    settings = validate(yaml.safe_load(CONFIG.read_text()), str(CONFIG))
    (folder / "run_config.yaml").write_text(effective(settings))
    torch.set_num_threads(1)
    return Run(folder)


def rows_of_the_page() -> list[str]:
    section = (ROOT / "docs/methods.md").read_text().split(HEADING)[1].split("\n## ")[0]
    return re.findall(r"(?m)^\| (.+?) \|", section)[1:]


def test_every_row_of_the_table_is_measured():
    assert rows_of_the_page() == list(EFFECTS)


@pytest.mark.parametrize("what", EFFECTS)
def test_a_deviation_is_measured_with_and_without_it(finished, what):
    effect = EFFECTS[what](finished)
    assert len(re.findall(r"\d+", effect)) >= 2 and "nan" not in effect, effect


@pytest.mark.parametrize("objective", ["unlearn", "edit"])
def test_edits_without_a_change_are_those_of_the_table(finished, objective):
    steps, table = finished.settings.editing.steps, stored(finished, objective)
    found, columns = edited(finished, objective, Change()), ["em_memorized", "em_control", "nll_memorized"]
    for arm, expected in table[table["step"] == steps].groupby("arm", observed=True):
        mine = found[(found["arm"] == arm) & (found["step"] == steps)]
        if len(mine):
            np.testing.assert_allclose(mine[columns].mean(), expected[columns].mean(), rtol=1e-3)


def test_edits_with_all_changes_are_those_of_the_table_by_the_authors_code(finished):
    steps, table = finished.settings.editing.steps, finished.table("edit_trajectories")
    expected = table[table["reference"] & (table["objective"] == "unlearn") & (table["step"] == steps)]
    both = expected.merge(edited(finished, "unlearn", ALL), on=["id", "arm", "step"])
    assert len(both) == len(expected) > 0
    for name in ("em_memorized", "em_control", "nll_memorized", "nll_held_out"):
        np.testing.assert_allclose(both[f"{name}_y"], both[f"{name}_x"], rtol=1e-3)


def test_contrastive_scores_without_a_change_are_those_of_the_table(finished):
    table = finished.table("parameter_gradients")
    expected = table.loc[table["group"] == "contrastive", "max_abs"]
    np.testing.assert_allclose(contrastive_scores(finished)["max_abs"], expected, rtol=1e-3)


def test_an_effect_goes_into_the_last_cell_of_its_row():
    before = "# Page\n| a | b |\n" + HEADING + "\n| what | effect |\n|---|---|\n| a | old |\n| b | kept |\n"
    after = "\n## Sets\n\n| a | b |\n"
    page = with_effects(before + after, {"a": "1, then 2"})
    assert page == before.replace("| a | old |", "| a | 1, then 2 |") + after
