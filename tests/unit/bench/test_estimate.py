"""The estimate of a study's cost: against measured times, and its schedule against what is obvious."""

import re
from pathlib import Path

import pandas as pd
import pytest
import yaml

from memloc.bench.estimate import estimate, studies
from memloc.bench.limits import limits
from memloc.bench.schedule import Job, jobs, longest_path, total
from memloc.model import cost, memory
from memloc.model.cost import Machine
from memloc.run.steps import Step
from memloc.settings.study import Settings
from memloc.tables import storage
from memloc.tables.schemas.estimate import ESTIMATE

ROOT = Path(__file__).parents[3]
MEASURED = pd.read_csv(Path(__file__).with_name("measured.csv"))
# Rates of one thread, and seconds of an import, of the machines that the times were measured on.
XEON = Machine("Xeon", 105, 4.8, 2)
EPYC = Machine("EPYC", 232, 4.5, 2)
CASCADE_LAKE = Machine("Xeon of 2019", 100, 5, 2, bfloat16=False)
# What mini read when it was measured, before Muon halved its training stream.
MEASURED_DATA = {"n_once": 6500, "n_unseen": 600, "max_repeats": 128}


def study(name):
    settings = Settings.model_validate(yaml.safe_load((ROOT / f"config/{name}.yaml").read_text()))
    return memory.shape_of(settings, "unknown"), settings


def test_mini_takes_what_was_measured():
    shape, settings = study("config")
    data = settings.data.model_copy(update=MEASURED_DATA)
    model = settings.model.model_copy(update={"optimizer": "adamw"})
    settings = settings.model_copy(update={"data": data, "model": model})
    rows = MEASURED.assign(
        estimated=[
            cost.rule_seconds(row.rule, shape, settings, XEON, row.threads) for row in MEASURED.itertuples()
        ]
    )
    assert rows.estimated.sum() == pytest.approx(rows.seconds.sum(), rel=0.2)
    long = rows[rows.seconds > 10]
    assert len(long) > 10 and (long.estimated / long.seconds).between(1 / 1.5, 1.5).all()


def test_planted_smollm2_takes_what_was_measured():
    """14 minutes on two idle cores, of which no constant of the estimate was taken."""
    shape, settings = study("smollm2-planted")
    threads = {"scores": 2, "sets": 2, "train_model": 2}
    seconds = sum(
        cost.rule_seconds(rule, shape, settings, EPYC, threads.get(rule, 2))
        for rule in {*cost.passes(shape, settings), "paragraphs"} - {"plant_paragraphs"}
    )
    assert 14 / 1.5 < seconds / 60 < 14 * 1.5


def test_every_rule_that_runs_the_model_has_its_passes():
    shape, settings = study("config")
    counted = cost.passes(shape, settings)
    assert set(memory.stage_bytes(shape, settings)) - {"model", "edited_model"} == set(counted) - {
        "train_model",
        "impact_gradients",
        "compare_activation_gradients",
        "unlearn_paragraphs",
    }
    assert min(counted.values()) > 0


def test_a_pass_is_the_work_of_every_product():
    """Of a GPT-Neo by its matrices: q, k, v and o, both of the MLP, attention of every pair, unembedding."""
    shape, settings = study("gpt-neo-125m")
    width, layers, tokens = 768, 12, 100
    weights = 2 * tokens * layers * (4 * width**2 + 2 * width * 4 * width)
    attention = layers * sum(2 * 2 * width * position for position in range(1, tokens + 1))
    unembedding = 2 * 50 * width * 50257
    assert cost.gflop_per_pass(shape, settings) == pytest.approx(
        (weights + attention + unembedding) / 1e9, rel=1e-6
    )


def test_a_faster_machine_and_more_threads_take_less_and_downloads_are_not_timed():
    shape, settings = study("gpt-neo-125m")
    slow, fast = (cost.rule_seconds("scores", shape, settings, machine, 1) for machine in (XEON, EPYC))
    assert slow > fast > cost.rule_seconds("scores", shape, settings, EPYC, 2)
    assert cost.rule_seconds("scores", shape, settings, cost.NAMED["h100"], 1) < 20
    assert cost.rule_seconds("download_model", shape, settings, XEON, 1) == 0
    assert cost.rule_bytes("download_model", shape, settings) == pytest.approx(5e8, rel=0.05)


def step(name, inputs, threads=1):
    benchmark = f"results/x/benchmarks/{name}.tsv"
    return Step(name, "", "", inputs, [f"results/x/{name}"], benchmark, threads)


def test_rows_and_jobs_follow_the_rules():
    _, settings = study("config")
    shards = settings.model_copy(update={"shards": 3})
    steps = [step("model", ["results/x/train_model"]), step("scores", ["results/x/model"], threads=2)]
    steps[1] = steps[1]._replace(outputs=["results/x/shards/{shard}"])
    steps.append(step("sets", ["results/x/shards/0", "results/x/shards/1"]))
    known = studies(steps, "results/x", shards)
    frame = estimate(steps, known, XEON)
    assert frame.rule.tolist() == ["model", "scores", "sets"] and frame.jobs.tolist() == [1, 3, 1]
    whole = cost.rule_seconds("scores", *known["results/x"], XEON, 2)
    assert frame.seconds[1] == pytest.approx(whole / 3)
    planned = jobs(steps, frame)
    assert planned["scores 2"].needs == {"model 0"}
    assert planned["sets 0"].needs == {"scores 0", "scores 1", "scores 2"}


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
    ],
)
def test_jobs_wait_for_what_they_need_and_for_cores_and_gpus(cores, gpus, seconds):
    assert total(JOBS, cores, gpus) == seconds


def test_a_limit_is_thrice_the_estimate_half_an_hour_at_least_and_nothing_where_none_was_timed(tmp_path):
    _, settings = study("config")
    names = ("download_model", "model", "scores", "edit_paragraphs")
    steps = [step(name, ["results/x/download_model"] * (name != "download_model")) for name in names]
    slow = Machine("slow", 1, 1, 1)
    path = tmp_path / "benchmarks/estimate.parquet"
    assert limits(path) == {}
    frame = estimate(steps, studies(steps, "results/x", settings), slow)
    storage.write(ESTIMATE, frame, path, {"study": "x", "paragraph": {"length": 100, "prefix": 50}})
    hours = frame.set_index("rule").seconds / 3600
    found = limits(path)
    assert hours.edit_paragraphs > 1 and found["edit_paragraphs"] / 60 == pytest.approx(
        3 * hours.edit_paragraphs, rel=0.01
    )
    assert found["model"] == 30 and "download_model" not in found


def test_a_list_costs_what_its_paragraphs_do():
    shape, settings = study("public/extraction-benchmark")
    many = settings.model_copy(update={"estimate": settings.estimate.model_copy(update={"paragraphs": None})})
    assert cost.n_paragraphs(settings) == 1000 and cost.n_paragraphs(many) == 15_000
    few, all_of_them = cost.passes(shape, settings), cost.passes(shape, many)
    assert few["scores"] == all_of_them["scores"] / 15 and few["attention"] < all_of_them["attention"]
    assert few["perturbation"] == all_of_them["perturbation"]


@pytest.mark.parametrize(
    ("name", "rule", "machine", "seconds"),
    [
        ("config", "plant_paragraphs", CASCADE_LAKE, 85),
        ("planted-truth", "plant_paragraphs", EPYC, 9600),
        ("planted-truth-smollm2", "plant_paragraphs", CASCADE_LAKE, 5500),
        ("config", "remove", CASCADE_LAKE, 45),
        ("removal", "remove", EPYC, 680),
    ],
)
def test_plants_and_removal_take_what_was_measured(name, rule, machine, seconds):
    """One thread each."""
    estimated = cost.rule_seconds(rule, *study(name), machine, 1)
    assert 1 / 1.5 < estimated / seconds < 1.5


def test_stages_of_the_benchmark_take_what_was_measured():
    """Those of docs/benchmarks.md that rules of a study run, with passes as the estimate counts them."""
    shape, settings = study("gpt-neo-125m")
    n_controls = yaml.safe_load((ROOT / "config/bench.yaml").read_text())["bench"]["n_controls"]
    passes = {  # of an item
        "scoring": 1,
        "perturbation_nll": cost.PERTURBED_SHARE,
        "patching": cost.PATCHED_SHARE,
        "parameter_gradients": cost.BACKWARD,
        "editing_step": cost.BACKWARD * (1 + n_controls),
    }
    page = (ROOT / "docs/benchmarks.md").read_text()
    for stage, each in passes.items():
        row = rf"\| `{stage}` \| [^|]+ \| (\d+) / \d+ \| ([\d.]+) / .* of ([\d,]+) GFLOP/s"
        n_items, seconds, rate = (float(text.replace(",", "")) for text in re.search(row, page).groups())
        reached = rate * shape.width / (shape.width + cost.HALF_RATE_WIDTH)
        estimated = n_items * each * cost.gflop_per_pass(shape, settings) / reached
        assert 1 / 1.5 < estimated / seconds < 1.5, stage
