"""Time limits of jobs, from an estimate of a slow machine."""

from pathlib import Path

import numpy as np
import yaml

from memloc.resources.estimate import estimate, studies
from memloc.resources.limits import limits
from memloc.resources.machine import Machine
from memloc.run.steps import Step
from memloc.settings.study import Settings
from memloc.tables import storage
from memloc.tables.schemas import schema_of

CONFIG = Path(__file__).parents[3] / "config/config.yaml"


def step(name):
    inputs = ["results/x/download_model"] * (name != "download_model")
    return Step(name, "", "", inputs, [f"results/x/{name}"], f"results/x/benchmarks/{name}.tsv", 1)


def test_a_limit_is_thrice_the_estimate_half_an_hour_at_least_and_nothing_where_none_was_timed(tmp_path):
    settings = Settings.model_validate(yaml.safe_load(CONFIG.read_text()))
    steps = [step(name) for name in ("download_model", "model", "scores", "edit_paragraphs")]
    path = tmp_path / "benchmarks/estimate.parquet"
    assert limits(path) == {}
    frame = estimate(steps, studies(steps, "results/x", settings), Machine("slow", 1, 1, 1))
    storage.write(
        schema_of("estimate"), frame, path, {"study": "x", "paragraph": {"length": 100, "prefix": 50}}
    )
    hours = frame.set_index("rule").seconds / 3600
    found = limits(path)
    assert hours.edit_paragraphs > 1 and found["edit_paragraphs"] == np.ceil(180 * hours.edit_paragraphs)
    assert found["model"] == 30 and "download_model" not in found
