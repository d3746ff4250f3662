"""The estimate of a study: a row per rule, and time limits of jobs."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from memloc.resources import cost, memory
from memloc.resources.estimate import estimate, limits, studies
from memloc.resources.machine import NAMED, Machine
from memloc.run.steps import Step
from memloc.settings.study import Settings
from memloc.tables import storage
from memloc.tables.columns import TableError
from memloc.tables.schemas import schema_of

ROOT = Path(__file__).parents[3]
RULES = ROOT / "workflow/rules"
MACHINE = Machine("Xeon", 105, 4.8, 2)


def study(name):
    return Settings.model_validate(yaml.safe_load((ROOT / f"config/{name}.yaml").read_text()))


def step(name, inputs, threads=1, study="results/x"):
    return Step(name, "", "", inputs, [f"{study}/{name}"], f"{study}/benchmarks/{name}.tsv", threads)


def test_rows_and_jobs_follow_the_rules():
    settings = study("config").model_copy(update={"shards": 3})
    steps = [step("model", ["results/x/train_model"]), step("scores", ["results/x/model"], threads=2)]
    steps[1] = steps[1]._replace(outputs=["results/x/shards/{shard}"])
    steps.append(step("fig1", ["results/x/shards/0", "results/x/shards/1"]))
    known = studies(steps, "results/x", settings)
    shape, _ = known["results/x"]
    frame = estimate(steps, known, MACHINE).set_index("rule")
    assert frame.jobs.to_dict() == {"model": 1, "scores": 3, "fig1": 1}
    whole = cost.rule_seconds("scores", shape, settings, MACHINE, 2)
    assert frame.seconds.scores == pytest.approx(whole / 3)
    asked = memory.stage_megabytes(shape, settings)
    assert frame.memory_mb.to_dict() == {"model": asked["model"], "scores": asked["scores"], "fig1": 2000}
    assert frame.gpu_mb.tolist() == [0, 0, 0] and frame.disk_mb.fig1 == pytest.approx(0.15)


def test_what_runs_the_model_takes_the_gpu():
    steps = [step("model", ["x"]), step("scores", ["results/x/model"]), step("fig1", ["results/x/scores"])]
    known = studies(steps, "results/x", study("config"))
    on_gpu = estimate(steps, known, NAMED["h100"])
    held = memory.stage_bytes(*known["results/x"])["scores"] / 1e6
    assert held <= on_gpu.gpu_mb[1] < held + 1
    assert (on_gpu.gpu_mb > 0).tolist() == [True, True, False]


@pytest.mark.parametrize("pair", memory.LIKE.items())
def test_a_rule_that_does_what_another_one_does_needs_as_much(pair):
    steps = [step("model", ["x"]), *(step(name, ["results/x/model"]) for name in pair)]
    rows = estimate(steps, studies(steps, "results/x", study("config")), NAMED["h100"]).set_index("rule")
    assert rows.memory_mb[pair[0]] == rows.memory_mb[pair[1]] != 2000
    assert rows.gpu_mb[pair[0]] == rows.gpu_mb[pair[1]] > 0


def test_every_rule_asks_for_memory_under_its_own_name():
    """So the table of the estimate says what a job asks for."""
    asked = re.findall(r'MEMORY\["(\w+)"\]', "".join(path.read_text() for path in RULES.glob("*.smk")))
    assert sorted(set(asked) | {"unlearn_paragraphs", "edit_paragraphs"}) == sorted(
        memory.stage_bytes(*studies([step("model", ["x"])], "results/x", study("config"))["results/x"])
    )


def test_every_model_of_a_study_has_its_own_shape():
    """What belongs to no one model is taken for the first one's."""
    sizes = study("sizes")
    steps = [step("model", ["nowhere"], study=f"results/sizes/{name}") for name in sizes.models]
    found = studies(steps, "results/sizes", sizes)
    shapes = {name: (shape.n_layers, shape.width) for name, (shape, _) in found.items()}
    of_models = {"w192": (3, 192), "w256": (4, 256), "w320": (5, 320)}
    expected = {f"results/sizes/{name}": shape for name, shape in of_models.items()}
    assert shapes == expected | {"results/sizes": (3, 192)}
    assert all(name == f"results/{each.study}" for name, (_, each) in found.items())


def test_a_limit_is_thrice_the_estimate_half_an_hour_at_least_and_nothing_where_none_was_timed(tmp_path):
    names, downloads = ("model", "scores", "edit_paragraphs"), step("download_model", [])
    steps = [downloads, *(step(name, downloads.outputs) for name in names)]
    path = tmp_path / "benchmarks/estimate.parquet"
    assert limits(path) == {}
    frame = estimate(steps, studies(steps, "results/x", study("config")), Machine("slow", 1, 1, 1))
    stamp = {"study": "x", "paragraph": {"length": 100, "prefix": 50}}
    storage.write(schema_of("estimate"), frame, path, stamp)
    with pytest.raises(TableError, match="rule"):  # a rule twice
        storage.write(schema_of("estimate"), pd.concat([frame, frame]), tmp_path / "twice.parquet", stamp)
    hours = frame.set_index("rule").seconds / 3600
    found = limits(path)
    assert hours.edit_paragraphs > 1 and found["edit_paragraphs"] == np.ceil(180 * hours.edit_paragraphs)
    assert found["model"] == 30 and "download_model" not in found
