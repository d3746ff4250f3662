"""How long rules take together: by hand, from the benchmark files of an earlier run, or by the estimate."""

from pathlib import Path

import pandas as pd
import pytest
from made_configs import study

from memloc.planning import estimate
from memloc.planning.estimate import duration, longest_path, total
from memloc.planning.measure import Speed
from memloc.run.steps import Step
from memloc.tables import storage
from memloc.tables.schemas import schema_of

STUDY = study("config")
# c needs a and b; d and e need b. c takes two threads; d and e take a GPU.
NEEDS = {"a": [], "b": [], "c": ["a", "b"], "d": ["b"], "e": ["b"]}
SECONDS = {"a": 3, "b": 2, "c": 4, "d": 2, "e": 4}


def step(name, reads=(), file="{name}.tsv"):
    inputs = [f"results/mini/{other}" for other in reads]
    benchmark = f"results/mini/benchmarks/{file}".format(name=name)
    return Step(name, "", "", inputs, [f"results/mini/{name}"], benchmark)


STEPS = [step(name, reads) for name, reads in NEEDS.items()]


def rows(seconds, **columns):
    frame = pd.DataFrame({"rule": [*seconds], "seconds": [*seconds.values()]})
    return frame.assign(jobs=1, threads=1, gpu_mb=0).assign(**columns)


def test_the_longest_path_is_the_slowest_chain():
    assert longest_path(STEPS[::-1], SECONDS) == (7, ["a", "c"])
    assert longest_path([], {}) == (0, [])


@pytest.mark.parametrize(
    ("cores", "gpus", "seconds"),
    [
        (9, 9, 7),  # the longest path
        (2, 1, 9.5),  # both cores are never idle; c takes both
        (1, 1, 15),  # one after the other; c takes the one core there is
    ],
)
def test_rules_take_what_their_longest_path_or_the_cores_take(cores, gpus, seconds):
    frame = rows(SECONDS, threads=[1, 1, 2, 1, 1], gpu_mb=[0, 0, 0, 1, 1])
    assert total(STEPS, frame, cores, gpus) == seconds


def test_rules_wait_for_a_gpu_and_shards_are_jobs():
    assert total(STEPS, rows(SECONDS, gpu_mb=[0, 0, 1, 1, 1]), 9, 1) == 10
    assert total(STEPS[:1], rows({"a": 3}, jobs=4), 2, 0) == 6


@pytest.fixture
def ran(tmp_path, monkeypatch):
    """Lets rules have run in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def ran(name, seconds):
        path = Path(f"results/mini/benchmarks/{name}.tsv")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"s\th:m:s\n{seconds}\t0:00:01\n")

    return ran


def test_what_ran_before_takes_as_long_as_then(ran):
    for name, seconds in (("scores", 10), ("sets", 5), ("score/0-of-2", 3), ("score/1-of-2", 5)):
        ran(name, seconds)
    steps = [step("scores"), step("sets", ["scores"]), step("score_shard", file="score/{{shard}}-of-2.tsv")]
    assert [duration(steps[:2], cores, 0, "results/mini", STUDY)[0] for cores in (1, 2)] == [15, 15]
    assert [duration(steps[2:], cores, 0, "results/mini", STUDY)[0] for cores in (1, 2)] == [8, 4]


def test_nobody_knows_where_a_part_never_ran_and_a_figure_alone_is_not_worth_measuring_the_machine(ran):
    assert duration([step("fig2")], 2, 0, "results/mini", STUDY)[0] is None
    ran("scores", 10)
    assert duration([step("scores"), step("sets")], 2, 0, "results/mini", STUDY)[0] is None


def test_a_study_without_results_is_estimated_and_a_table_of_the_estimate_saves_the_measurement(
    ran, monkeypatch
):
    asked = []
    here = Speed(4, 1e-11, 3e-11, 3e-11, 3e-11)
    monkeypatch.setattr(estimate, "speed", lambda *given: asked.append(given) or here)
    steps = [step("model", ["elsewhere"]), step("scores", ["model"]), step("attention", ["model"])]
    frame, _ = estimate.estimate(steps, "results/mini", STUDY, remote=False)
    assert duration(steps, 1, 0, "results/mini", STUDY)[0] == pytest.approx(frame.seconds.sum())
    assert len(asked) == 2
    stamp = {"study": "mini", "paragraph": {"length": 100, "prefix": 50}}
    table = Path("results/mini/benchmarks/estimate.parquet")
    storage.write(schema_of("estimate"), frame, table, stamp)
    assert duration(steps[:2], 1, 0, "results/mini", STUDY)[0] == pytest.approx(frame.seconds[:2].sum())
    assert duration([*steps, step("new")], 1, 0, "results/mini", STUDY)[0] is None
    shared = duration(steps[1:], 9, 1, "results/mini", STUDY)[0]
    assert shared == pytest.approx(frame.seconds[1:].sum()), "both wait for the one GPU"
    assert len(asked) == 2
