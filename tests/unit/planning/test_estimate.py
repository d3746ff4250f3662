"""The estimate of a study: a row per rule, time limits of jobs, and how long all take together."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made_configs import ROOT, study

from memloc.planning import estimate as module
from memloc.planning.estimate import LOAD, READING, duration, estimate, limits, total
from memloc.planning.work import megabytes, n_parameters, works
from memloc.run.steps import Step
from memloc.settings.study import Settings
from memloc.tables import storage
from memloc.tables.columns import TableError
from memloc.tables.schemas import schema_of

RULES = ROOT / "workflow/rules"
HERE = {"cpu": {"score": 1e-9, "gradients": 2e-9, "edit": 4e-9}}
RESULTS, MINI = "results/x", study("config")
STAMP = {"study": "x", "paragraph": {"length": 100, "prefix": 50}}


def step(name, inputs=("results/x/model",), threads=1, folder=RESULTS):
    return Step(name, "", "", [*inputs], [f"{folder}/{name}"], f"{folder}/benchmarks/{name}.tsv", threads)


MODEL = step("model", ["nowhere"])


@pytest.fixture
def measured(monkeypatch):
    """What was asked of the measurement, which gives the speed `HERE`, or the speed appended to it."""
    asked, given = [], [HERE]

    def speed(n_weights, settings):
        asked.append((n_weights, settings.study))
        return given[-1]

    monkeypatch.setattr(module, "speed", speed)
    return asked, given


def test_rows_and_jobs_follow_the_rules(measured):
    shards = step("scores", threads=2)._replace(outputs=["x/{shard}-of-3.parquet"])
    joined = step("scores")._replace(name="joined", script="workflow/scripts/join_parts.py")
    frame = estimate([MODEL, shards, joined], RESULTS, MINI, False).set_index("rule")
    n_weights = n_parameters(MINI, "nowhere")
    assert measured[0] == [(n_weights, "mini")]
    assert frame.jobs.to_dict() == {"model": 1, "scores": 3, "joined": 1}
    scored = works(n_weights, MINI)["scores"][1] * n_weights * HERE["cpu"]["score"]
    assert frame.seconds.scores == pytest.approx(LOAD + scored / 2 / 3) and frame.seconds.joined == LOAD
    asked = megabytes("score", n_weights, MINI.loading)
    assert frame.memory_mb.tolist() == [asked, asked, 2000]


def test_a_job_takes_the_passes_of_its_kind_and_training_those_of_an_edit(measured):
    steps = [MODEL, step("activation_gradients"), step("remove"), step("train_model", threads=2)]
    seconds = estimate(steps, RESULTS, MINI, False).set_index("rule").seconds
    n_weights = n_parameters(MINI, "nowhere")
    for rule, each in zip(seconds.index[1:], (2e-9, 4e-9, 4e-9 / 2), strict=True):
        n = works(n_weights, MINI)[rule][1]
        assert n > 0 and seconds[rule] == pytest.approx(LOAD + n * n_weights * each)


# Seconds of processor time of rules of `mini`, on an AMD EPYC (Zen 3) whose thread passes a weight and a
# paragraph in 2.5e-9 s. The other kinds have the ratios of a Zen 5 that passes them as fast.
TOOK = {"train_model": 257, "perturbation": 92, "scores": 74, "ablate_heads": 44, "edit_paragraphs": 76}
TOOK |= {"sets": 30, "remove": 15, "parameter_gradients": 15, "prefix_features": 15}
TOOK |= {"patching": 14, "attention": 12, "score_samples": 10, "activation_gradients": 10}


def test_the_estimate_of_mini_is_near_what_it_took(measured):
    measured[1].append({"cpu": {"score": 2.5e-9, "gradients": 5.9e-9, "edit": 6.8e-9}})
    seconds = estimate([MODEL, *map(step, TOOK)], RESULTS, MINI, False).set_index("rule").seconds
    assert seconds.sum() == pytest.approx(sum(TOOK.values()), rel=0.5)
    for rule, took in TOOK.items():
        assert 1 / 3 < seconds[rule] / took < 3, rule


@pytest.mark.parametrize(
    ("loading", "remote", "seconds"),
    [
        ({"device": "auto"}, False, 1e-9),
        ({"device": "auto"}, True, None),
        ({"device": "cuda"}, False, None),
        ({"gpus": 2}, False, None),
        ({"device": "cpu"}, True, 1e-9),
    ],
)
def test_nobody_knows_the_time_of_a_job_that_takes_a_gpu_where_there_is_none(
    loading, remote, seconds, measured
):
    steps = [MODEL, step("scores"), step("train_model"), step("fig1")]
    frame = estimate(steps, RESULTS, study("config", loading=loading), remote)
    assert frame.seconds.isna().tolist() == [False, seconds is None, False, False]
    n_gpus = loading.get("gpus", 1) if seconds is None else 0
    assert frame.gpus.tolist() == [n_gpus, n_gpus, 0, 0]


def test_jobs_take_the_gpu_that_is_here_and_training_takes_threads(measured):
    steps = [MODEL, step("scores", threads=2), step("train_model", threads=2)]
    before = estimate(steps, RESULTS, MINI, False).seconds
    measured[1].append(HERE | {"cuda": {kind: each / 10 for kind, each in HERE["cpu"].items()}})
    frame = estimate(steps, RESULTS, MINI, False)
    assert frame.gpus.tolist() == [1, 1, 0]
    assert (frame.seconds - LOAD).tolist() == pytest.approx(((before - LOAD) * [1, 0.2, 1]).tolist())


def test_every_rule_asks_for_memory_under_its_own_name():
    """So the table of the estimate says what a job asks for."""
    text = "".join(path.read_text() for path in RULES.glob("*.smk"))
    asked = re.findall(r'(?:MEMORY\[|Analysis\(\s+)"(\w+)"', text)
    run_no_model = {"count_copies", "rare_tokens", "rank_heads", "detect", "compare_halves"}
    assert {*asked} - run_no_model == {*works(1e6, MINI)}


def test_every_model_of_a_study_has_its_own_size_and_the_largest_is_measured(measured):
    """What belongs to no one model is taken for the first one's."""
    sizes = study("sizes")
    models = {name: f"results/sizes/{name}" for name in sizes.models}
    steps = [step("model", ["nowhere"], folder=at)._replace(name=name) for name, at in models.items()]
    steps += [step("scores", folder=at)._replace(name=f"{name}_s") for name, at in models.items()]
    frame = estimate([*steps, step("story", folder="results/sizes")], "results/sizes", sizes, False)
    ((n_weights, name),) = measured[0]
    assert (n_weights, name) == (12 * 5 * 320**2 + 320 * sizes.data.vocabulary, "sizes/w320")
    times = frame.set_index("rule").seconds
    assert times.w192_s < times.w256_s < times.w320_s and times.story == LOAD


def test_a_limit_is_thrice_the_estimate_half_an_hour_at_least_and_nothing_where_none_is_known(
    tmp_path, measured
):
    path = tmp_path / "benchmarks/estimate.parquet"
    assert limits(path) == {}
    measured[1].append({"cpu": dict.fromkeys(HERE["cpu"], 1e-6)})
    frame = estimate([MODEL, *map(step, ("edit_paragraphs", "scores"))], RESULTS, MINI, False)
    frame.loc[2, "seconds"] = None
    storage.write(schema_of("estimate"), frame, path, STAMP)
    with pytest.raises(TableError, match="rule"):  # a rule twice
        storage.write(schema_of("estimate"), pd.concat([frame, frame]), tmp_path / "twice.parquet", STAMP)
    seconds = frame.set_index("rule").seconds
    assert seconds.edit_paragraphs > 3600
    assert limits(path) == {"model": 30, "edit_paragraphs": np.ceil(seconds.edit_paragraphs / 20)}


# c takes two threads; d and e take a GPU.
SECONDS = {"a": 3, "b": 2, "c": 4, "d": 2, "e": 4}


def rows(seconds, **columns):
    frame = pd.DataFrame({"rule": [*seconds], "seconds": [*seconds.values()]})
    return frame.assign(jobs=1, threads=1, gpus=0).assign(**columns)


@pytest.mark.parametrize(
    ("cores", "gpus", "seconds"),
    [
        (9, 9, 4),  # the longest job
        (2, 1, 9.5),  # both cores are never idle; c takes both
        (1, 1, 19),  # one after the other; c takes twice as long on one core
    ],
)
def test_rules_take_what_the_longest_job_or_the_cores_take(cores, gpus, seconds):
    frame = rows(SECONDS, threads=[1, 1, 2, 1, 1], gpus=[0, 0, 0, 1, 1])
    assert total(frame, cores, gpus) == seconds


def test_rules_wait_for_a_gpu_and_shards_are_jobs():
    assert total(rows(SECONDS, gpus=[0, 0, 1, 1, 1]), 9, 1) == 10
    assert total(rows({"a": 3}, jobs=4), 2, 1) == 6


@pytest.fixture
def ran(tmp_path, monkeypatch):
    """Lets rules have run in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def ran(name, seconds):
        path = Path(f"results/x/benchmarks/{name}.tsv")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"s\th:m:s\n{seconds}\t0:00:01\n")

    return ran


def test_what_ran_before_takes_as_long_as_then(ran):
    for name, seconds in (("scores", 10), ("sets", 5), ("score/0-of-2", 3), ("score/1-of-2", 5)):
        ran(name, seconds)
    steps = [step("scores"), step("sets", [f"{RESULTS}/scores"]), step("score/{shard}-of-2")]
    assert [duration(steps[:2], cores, 1, RESULTS, MINI)[0] for cores in (1, 2)] == [15, 10]
    assert [duration(steps[2:], cores, 1, RESULTS, MINI)[0] for cores in (1, 2)] == [8, 4]


def test_nobody_knows_where_a_part_never_ran_and_a_figure_alone_is_not_worth_measuring_the_machine(ran):
    assert duration([step("fig2")], 2, 1, RESULTS, MINI)[0] is None
    ran("scores", 10)
    assert duration([step("scores"), step("sets")], 2, 1, RESULTS, MINI)[0] is None


def test_a_study_without_results_is_estimated_and_a_table_of_the_estimate_saves_the_measurement(
    ran, measured
):
    measured[1].append(HERE | {"cuda": {"score": 1e-10}})
    steps = [MODEL, step("scores", MODEL.outputs), step("attention", MODEL.outputs)]
    frame = estimate(steps, RESULTS, MINI, remote=False)
    assert duration(steps, 1, 1, RESULTS, MINI)[0] == pytest.approx(frame.seconds.sum())
    assert len(measured[0]) == 2
    storage.write(schema_of("estimate"), frame, Path(f"{RESULTS}/benchmarks/estimate.parquet"), STAMP)
    assert duration(steps[:2], 1, 1, RESULTS, MINI)[0] == pytest.approx(frame.seconds[:2].sum())
    assert duration([*steps, step("new")], 1, 1, RESULTS, MINI)[0] is None
    shared = duration(steps[1:], 9, 1, RESULTS, MINI)[0]
    assert shared == pytest.approx(frame.seconds[1:].sum()), "both wait for the one GPU"
    assert len(measured[0]) == 2
    assert duration(steps, 1, 1, RESULTS, MINI)[1] == 0, "no text is scanned"


def test_text_that_is_recited_takes_many_scans_more(measured, tmp_path):
    (tmp_path / "a.txt").write_bytes(b"x" * 350_000)
    data = {"source": "text", "files": [f"{tmp_path}/a.txt"]}
    given = {"study": "x", "data": data, "model": {"source": "hub", "id": "a/b-1m"}}
    settings = Settings.model_validate(given)
    seconds, more, jobs = duration([step("passages", folder="results/new")], 1, 1, "results/new", settings)
    expected = LOAD + 2 * 1000 * (1e6 * HERE["cpu"]["score"] + 100 * READING)
    assert seconds == jobs["passages"] == pytest.approx(expected)
    assert more == pytest.approx((seconds - LOAD) * 100 / 6)
