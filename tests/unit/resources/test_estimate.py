"""The estimate of a study: a row per rule, and its schedule against what is obvious."""

from pathlib import Path

import pandas as pd
import pytest
import yaml

from memloc.resources import cost, memory
from memloc.resources.estimate import estimate, studies, summary
from memloc.resources.machine import NAMED, Machine
from memloc.resources.schedule import Job, jobs, longest_path, total
from memloc.run.console import spoken
from memloc.run.steps import Step
from memloc.settings.study import Settings

ROOT = Path(__file__).parents[3]
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
    planned = jobs(steps, frame.reset_index())
    assert planned["scores 2"].needs == {"model 0"}
    assert planned["fig1 0"].needs == {"scores 0", "scores 1", "scores 2"}
    assert {job.gpus for job in planned.values()} == {0}


def test_what_runs_the_model_takes_the_gpu():
    steps = [step("model", ["x"]), step("scores", ["results/x/model"]), step("fig1", ["results/x/scores"])]
    known = studies(steps, "results/x", study("config"))
    on_gpu = estimate(steps, known, NAMED["h100"])
    held = memory.stage_bytes(*known["results/x"])["scores"] / 1e6
    assert held <= on_gpu.gpu_mb[1] < held + 1
    assert [job.gpus for job in jobs(steps, on_gpu).values()] == [1, 1, 0]


def test_every_model_of_a_study_has_its_own_shape():
    """What belongs to no one model is taken for the first one's."""
    sizes = study("sizes")
    steps = [step("model", ["nowhere"], study=f"results/sizes/{name}") for name in sizes.models]
    found = studies(steps, "results/sizes", sizes)
    shapes = {name: (shape.n_layers, shape.width) for name, (shape, _) in found.items()}
    of_models = {"w192": (3, 192), "w256": (4, 256), "w320": (5, 320)}
    assert shapes == {f"results/sizes/{name}": shape for name, shape in of_models.items()} | {
        "results/sizes": (3, 192)
    }
    assert {name: each.study for name, (_, each) in found.items()} == {
        name: name.removeprefix("results/") for name in shapes
    }


def test_a_summary_names_the_longest_rules_the_whole_and_the_longest_path():
    steps = [step("rule0", ["x"]), step("rule1", ["results/x/rule0"])]
    steps += [step(f"rule{number}", ["x"]) for number in range(2, 22)]
    frame = pd.DataFrame({"rule": [one.name for one in steps], "machine": "any", "jobs": 1, "threads": 1})
    frame = frame.assign(seconds=[180, 240, *[60] * 18, 20, 10], memory_mb=2000, gpu_mb=0, disk_mb=500.0)
    frame.loc[5, "memory_mb"] = 4000
    lines = summary(steps, frame, Machine("one", 10, 1, 1)).splitlines()
    assert lines[0] == "one (10 GFLOP/s a thread), 1 cores, 22 rules, downloads not timed"
    assert [line.split()[0] for line in lines[2:4]] == ["rule1", "rule0"] and len(lines[2:-3]) == 20
    assert lines[-3] == f"total: {spoken(180 + 240 + 18 * 60 + 30)}"
    assert lines[-2] == "memory: at most 4.0 GB a rule; disk: 11.0 GB"
    assert lines[-1] == f"longest path: {spoken(420)}: rule0, rule1"
    assert "by its data sheet, never measured" in summary(steps, frame, NAMED["h100"])


JOBS = {
    "a": Job(3, 1, 0, frozenset()),
    "b": Job(2, 1, 0, frozenset()),
    "c": Job(4, 2, 0, frozenset({"a"})),
    "d": Job(2, 1, 1, frozenset({"b"})),
    "e": Job(4, 1, 1, frozenset({"b"})),
}


def test_the_longest_path_is_the_slowest_chain():
    assert longest_path(JOBS) == (7, ["a", "c"])
    assert longest_path({}) == (0, [])


@pytest.mark.parametrize(
    ("cores", "gpus", "seconds"),
    [
        (9, 9, 7),  # the longest path, beside which the others end
        (1, 1, 15),  # one after the other; c takes the one core there is
        (9, 1, 8),  # d waits for the GPU that e has
        (9, 0, 7),  # without a GPU, none is waited for
    ],
)
def test_jobs_wait_for_what_they_need_and_for_cores_and_gpus(cores, gpus, seconds):
    assert total(JOBS, cores, gpus) == seconds


def test_of_jobs_that_can_start_the_longest_one_does():
    waiting = {name: Job(seconds, 1, 0, frozenset()) for name, seconds in (("a", 1), ("b", 1), ("c", 2))}
    assert total(waiting, 2, 0) == 2
