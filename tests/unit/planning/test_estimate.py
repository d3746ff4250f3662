"""The estimate of a study: a row per rule, and time limits of jobs."""

import re

import numpy as np
import pandas as pd
import pytest
from made_configs import ROOT, study

from memloc.planning import estimate as module
from memloc.planning.estimate import estimate, limits
from memloc.planning.measure import Speed
from memloc.planning.memory import megabytes
from memloc.planning.shapes import shape_of
from memloc.planning.work import works
from memloc.run.steps import Step
from memloc.tables import storage
from memloc.tables.columns import TableError
from memloc.tables.schemas import schema_of

RULES = ROOT / "workflow/rules"
HERE = Speed(5, 1e-11, 3e-11, 4e-11, 2e-11)
NO_GPU = Speed(5, *[float("nan")] * 3, 2e-11)
RESULTS = "results/x"


def step(name, inputs=("results/x/model",), threads=1, folder=RESULTS):
    return Step(name, "", "", [*inputs], [f"{folder}/{name}"], f"{folder}/benchmarks/{name}.tsv", threads)


MODEL = step("model", ["nowhere"])


@pytest.fixture
def measured(monkeypatch):
    """What was asked of the measurement, which gives the speed `HERE`, or the speed appended to it."""
    asked, given = [], [HERE]

    def speed(shape, settings, on_gpu):
        asked.append((shape, settings.study, on_gpu))
        return given[-1]

    monkeypatch.setattr(module, "speed", speed)
    return asked, given


def test_rows_and_jobs_follow_the_rules(measured):
    settings = study("config", shards=3)
    shards = step("scores", threads=2)._replace(outputs=["results/x/shards/{shard}"])
    frame, here = estimate([MODEL, shards, step("fig1"), step("download_model")], RESULTS, settings, False)
    shape, frame = shape_of(settings, "nowhere"), frame.set_index("rule")
    assert here == HERE and measured[0] == [(shape, "mini", False)]
    assert frame.jobs.to_dict() == {"model": 1, "scores": 3, "fig1": 1, "download_model": 1}
    scored = works(shape, settings)["scores"].score * shape.operations(100, 50) * HERE.score
    assert frame.seconds.scores == pytest.approx(5 + scored / 2 / 3)
    assert (frame.seconds.fig1, frame.seconds.download_model) == (5, 0)
    asked = megabytes("score", shape, settings.loading)
    assert frame.memory_mb.tolist() == [asked, asked, 2000, 2000]


def test_every_kind_of_pass_takes_its_own_time(measured):
    settings = study("config")
    steps = [MODEL, step("parameter_gradients"), step("remove"), step("train_model", threads=2)]
    frame, _ = estimate(steps, RESULTS, settings, False)
    shape, seconds = shape_of(settings, "nowhere"), frame.set_index("rule").seconds
    attributed, removal, trained = (works(shape, settings)[each.rule] for each in steps[1:])
    passes, context = shape.operations(100, 50), settings.model.context
    assert attributed.gradients > 0 and removal.score > 0 and removal.edit > 0
    assert seconds.parameter_gradients == pytest.approx(5 + passes * attributed.gradients * HERE.gradients)
    removed = removal.score * HERE.score + removal.edit * HERE.edit
    assert seconds.remove == pytest.approx(5 + passes * removed)
    windows = trained.training * shape.operations(context, context)
    assert seconds.train_model == pytest.approx(5 + windows * HERE.training / 2)


@pytest.mark.parametrize(
    ("loading", "remote", "unknown"),
    [
        ({"device": "auto"}, False, False),
        ({"device": "auto"}, True, True),
        ({"device": "cuda"}, False, True),
        ({"gpus": 2}, False, True),
        ({"device": "cpu"}, True, False),
    ],
)
def test_nobody_knows_the_time_of_a_job_that_takes_a_gpu_where_there_is_none(
    loading, remote, unknown, measured
):
    measured[1].append(NO_GPU if unknown else HERE)
    steps = [MODEL, step("scores"), step("train_model"), step("fig1")]
    frame, _ = estimate(steps, RESULTS, study("config", loading=loading), remote)
    assert [on_gpu for *_, on_gpu in measured[0]] == [unknown]
    assert frame.seconds.isna().tolist() == [False, unknown, False, False]
    takes_one = loading.get("device") != "cpu"
    assert (frame.gpu_mb > 0).tolist() == [takes_one, takes_one, False, False]


def test_every_rule_asks_for_memory_under_its_own_name():
    """So the table of the estimate says what a job asks for."""
    settings = study("config")
    text = "".join(path.read_text() for path in RULES.glob("*.smk"))
    asked = re.findall(r'(?:MEMORY\[|Analysis\(\s+)"(\w+)"', text) + ["unlearn_paragraphs", "edit_paragraphs"]
    on_tables = {"rare_tokens", "rank_heads", "detect", "compare_halves"}  # analyses that run no model
    assert {*asked} - on_tables == {*works(shape_of(settings, "x"), settings)}


def test_every_model_of_a_study_has_its_own_shape_and_the_largest_is_measured(measured):
    """What belongs to no one model is taken for the first one's."""
    sizes = study("sizes")
    models = {name: f"results/sizes/{name}" for name in sizes.models}
    steps = [step("model", ["nowhere"], folder=at)._replace(name=name) for name, at in models.items()]
    steps += [step("scores", folder=at)._replace(name=f"{name}_s") for name, at in models.items()]
    frame, _ = estimate([*steps, step("story", folder="results/sizes")], "results/sizes", sizes, False)
    ((shape, name, _),) = measured[0]
    assert (shape.n_layers, shape.width, name) == (5, 320, "sizes/w320")
    times = frame.set_index("rule").seconds
    assert times.w192_s < times.w256_s < times.w320_s and times.story == 5


def test_a_limit_is_thrice_the_estimate_half_an_hour_at_least_and_nothing_where_none_is_known(
    tmp_path, measured
):
    path = tmp_path / "benchmarks/estimate.parquet"
    assert limits(path) == {}
    measured[1].append(HERE._replace(edit=1e-8, gradients=float("nan")))
    names = ("edit_paragraphs", "activation_gradients", "download_model")
    frame, _ = estimate([MODEL, *map(step, names)], RESULTS, study("config"), False)
    stamp = {"study": "x", "paragraph": {"length": 100, "prefix": 50}}
    storage.write(schema_of("estimate"), frame, path, stamp)
    with pytest.raises(TableError, match="rule"):  # a rule twice
        storage.write(schema_of("estimate"), pd.concat([frame, frame]), tmp_path / "twice.parquet", stamp)
    seconds = frame.set_index("rule").seconds
    assert seconds.edit_paragraphs > 3600
    assert limits(path) == {"model": 30, "edit_paragraphs": np.ceil(seconds.edit_paragraphs / 20)}
