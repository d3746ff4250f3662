"""How long a run will take: from the benchmark files of an earlier run, or by the estimate."""

from pathlib import Path

import pytest
import yaml

from memloc.resources import estimate, machine
from memloc.resources.duration import duration
from memloc.resources.machine import Machine
from memloc.run.steps import Step
from memloc.settings.study import Settings

ROOT = Path(__file__).parents[3]
STUDY = Settings.model_validate(yaml.safe_load((ROOT / "config/config.yaml").read_text()))


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def step(name, reads=(), writes="{shard}"):
    outputs = [f"results/mini/{name}-{writes}"] if "shard" in name else [f"results/mini/{name}"]
    file = name.replace("_shard", "/{shard}-of-2")
    return Step(name, "", "", list(reads), outputs, f"results/mini/benchmarks/{file}.tsv")


def ran(name, seconds):
    path = Path(f"results/mini/benchmarks/{name}.tsv")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"s\th:m:s\n{seconds}\t0:00:01\n")


def test_what_ran_before_takes_as_long_as_then():
    steps = [step("scores"), step("sets", ["results/mini/scores"]), step("fig2", ["results/mini/scores"])]
    for name, seconds in (("scores", 10), ("sets", 5), ("fig2", 3)):
        ran(name, seconds)
    assert duration(steps, 1, "results/mini", STUDY) == 18
    assert duration(steps, 2, "results/mini", STUDY) == 15


def test_shards_run_beside_each_other_and_what_takes_all_cores_alone():
    for shard, seconds in enumerate((3, 5)):
        ran(f"scores/{shard}-of-2", seconds)
    shards = step("scores_shard")
    assert [duration([shards], cores, "results/mini", STUDY) for cores in (1, 2)] == [8, 4]
    assert duration([shards._replace(threads=2)], 2, "results/mini", STUDY) == 8


def test_nobody_knows_where_a_part_never_ran_and_a_figure_alone_is_not_worth_measuring_the_machine():
    assert duration([step("fig2")], 2, "results/mini", STUDY) is None
    ran("scores", 10)
    assert duration([step("scores"), step("sets")], 2, "results/mini", STUDY) is None


@pytest.mark.parametrize(("gpus", "beside"), [(0, max), (1, sum)])
def test_a_study_without_results_is_estimated(monkeypatch, gpus, beside):
    """Two rules that run the model do so beside each other on two cores, but not on one GPU."""
    asked, any_machine = [], Machine("one", 100, 4, 2, gpus=gpus)
    monkeypatch.setattr(machine, "this_machine", lambda cores: asked.append(cores) or any_machine)
    model = Step(
        "model", "", "", ["elsewhere"], ["results/mini/model.json"], "results/mini/benchmarks/model.tsv"
    )
    steps = [model, *(step(name, ["results/mini/model.json"]) for name in ("scores", "attention"))]
    shape, settings = estimate.studies(steps, "results/mini", STUDY)["results/mini"]
    first, *others = estimate.estimate(steps, {"results/mini": (shape, settings)}, any_machine).seconds
    assert duration(steps, 2, "results/mini", STUDY) == pytest.approx(first + beside(others))
    assert asked == [2]
