"""The estimate of a study's cost: against measured times, and its schedule against what is obvious."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from memloc.resources import cost, memory
from memloc.resources.cost import Machine
from memloc.resources.estimate import estimate, studies, summary
from memloc.resources.schedule import Job, jobs, longest_path, total
from memloc.run.console import spoken
from memloc.run.steps import Step
from memloc.settings.study import Settings

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


# A model of two layers, and 100 paragraphs of 10 tokens, 4 of them prefix: few enough to count by hand.
SMALL = memory.Shape(2, 12, 4, 2, 5, 7, True, 11, 0, False)
COUNTED = {
    "study": "x",
    "data": {"source": "text", "files": ["any.txt"]},
    "model": {"source": "hub"},
    "estimate": {"paragraphs": 100},
    "paragraph": {"length": 10, "prefix": 4},
    "sets": {"n_memorized": 3, "n_non_memorized": 5, "n_partly": 7},
    "positions": {"n_paragraphs": 4, "lengths": [5, 20], "draws": 2},
    "perturbation": {"draws": 2},
    "contrastive": {"n_controls": 2},
    "head_ablation": {"n_paragraphs": 2, "n_judging": 3, "top": [1, 2], "n_random": 4},
    "layer_bypass": {"n_paragraphs": 2, "n_judging": 3},
    "weight_noise": {"n_paragraphs": 2, "n_judging": 3, "draws": 2, "sizes": [1, 2, 3]},
    "editing": {
        "n_paragraphs": 6,
        "n_swept": 2,
        "learning_rates": [1, 2, 3],
        "extra_arms": ["layer"],
        "n_controls": 2,
        "n_judging": 3,
        "n_perturbations": 5,
        "relearning_limit": 4,
    },
    "detection": {"n_repeated": 20, "n_others": 10},
    "remove": {
        "ways": ["top", "neurons_integrated_gradients", "neurons_zero_out", "neurons_hard_concrete"],
        "n_joint": 4,
        "n_single": 1,
        "n_validation": 3,
        "n_keep": 2,
        "n_judging": 6,
        "n_perturbations": 2,
        "shifts": [1],
        "relearning_limit": 4,
        "unlearning": {"learning_rates": [1, 2], "steps": 5},
    },
}
PLANTS = {
    "n_plants": 2,
    "keep": 1,
    "levels": [1],
    "max_steps": 10,
    "controls": ["twin"],
    "integration_steps": 5,
    "n_judging": 3,
    "n_checked_neurons": 4,
}
EMBEDDED = {
    "data": {"source": "embedded", "n_repeated": 4, "n_once": 10, "n_unseen": 6, "min_repeats": 5},
    "model": {"source": "embedded"},
}


def counted(**changes):
    return Settings.model_validate(COUNTED | changes)


def embedded(optimizer="adamw", **data):
    model = EMBEDDED["model"] | {"optimizer": optimizer}
    return counted(data=EMBEDDED["data"] | data, model=model)


def test_work_of_a_pass_counted_by_hand():
    weights = 2 * (240 + 120 + 120 + 240 + 3 * 84)  # of both layers: q, k, v, o and an MLP with a gate
    attended = 2 * 2 * 4 * 5 * (10 * 11 / 2)  # q k and pattern v, of every layer, head and pair of tokens
    assert cost.gflop_per_pass(SMALL, counted()) == pytest.approx(
        2 * (10 * weights + attended + 6 * 12 * 11) / 1e9
    )


def test_passes_of_every_rule_counted_by_hand():
    assert cost.passes(SMALL, counted()) == pytest.approx(
        {
            "train_model": 0,
            "scores": 100,
            "sets": 22 + 5,
            "token_statistics": 3 + 15,
            "score_positions": 3 * 4 * (1 + 1 + 2 * (1 + 0.5 + 1 + 2) + 2),
            "perturbation": 8 * 4 * 2 * 0.8,
            "parameter_gradients": 3 * 22 + 4 * 3 * (1 + 2),
            "activation_gradients": 2 * 3 * 3,
            "impact_gradients": 2 * 4 * 3,
            "compare_activation_gradients": 3 * (22 + 8),
            "attention": (22 + 80) * 5 / 10,
            "patching": 3 * (3 + 0.12 * 2 * (8 + 4 + 4)),
            "residual_patching": 3 * 2 * 2 * 2 * 0.12,  # directions, layers, half of the prefix
            "ablate_heads": 7 * (2 * 8 / 2 + (8 + 4) * 2),
            "bypass_layers": 7 * 5 * 2,
            "disturb_weights": 3 * 2 + 9 * 2 * 2 * (3 + 1),
            "edit_paragraphs": 64 * (10 * 3 * 3 + 2 + 13 + 3 * 2),  # 4 arms of 6, 6 as the authors and 2 x 2
            "unlearn_paragraphs": 64 * (10 * 3 * 3 + 2 + 13 + 3 * 2),
            "plant_paragraphs": 0,
            "prefix_features": 40 * 0.4 * (2 + 3),
            # 8 that rank neurons; 5 removed and judged 10 times, and damage, by 4 ways; 5 steps of two ways
            "remove": 8 * (2 * 10 + 200 / 2 + 600) + 4 * (5 * 10 + 3 * 6 * 2) + 2 * 5 * 3 * 19,
        }
    )
    few = counted(estimate={"paragraphs": 30}, editing=COUNTED["editing"] | {"n_reference": 1})
    found = cost.passes(SMALL, few)
    assert found["prefix_features"] == pytest.approx(30 * 0.4 * (2 + 3))
    assert found["attention"] == pytest.approx((22 + 24) * 5 / 10)
    assert found["edit_paragraphs"] == pytest.approx(44 * 111)


HEADS = 8 * 3 + 2 * 5 + 2 * (4 + 4 * 4 * 0.12)  # of one question: to rankings, ablations and patches


@pytest.mark.parametrize(
    ("kind", "asked", "masks", "curves", "ablated"),
    [
        ("head_vo", 3 * HEADS, 2 * 1200, 160, 0),
        ("neurons", 2 * (8 * 3 + 2 * 5) + 4 / 2, 2 * 1200, 160, 2 * 14 / 2),
        ("scattered_1", 2 * 3 * 3, 0, 160, 0),
    ],
)
def test_passes_of_plants_counted_by_hand(kind, asked, masks, curves, ablated):
    def found(**how):
        planted = PLANTS | {"kinds": {kind: 1}, "curves": False} | how
        return cost.passes(SMALL, counted(planted_truth=planted))["plant_paragraphs"]

    planted = 10 * 0.1 * 3 * 2 + 4 * 3  # a tenth of the steps, of two paragraphs; damage
    assert found() == pytest.approx(2 * (planted + asked))
    for how, more in (("masks", masks), ("curves", curves), ("neuron_ablation", ablated)):
        assert found(**{how: True}) - found() == pytest.approx(2 * more)
    assert found(kinds={"head_all": 1, kind: 1}) == pytest.approx(2 * (2 * planted + 3 * HEADS + asked))


def test_rows_of_embedded_data():
    same = embedded(max_repeats=5)
    whole = (256 - 10 + 1) / 256  # of the places where a paragraph may begin in a window
    rows = (10 + 4 * 5) / whole
    assert cost.n_paragraphs(same) == 20 and cost.n_trained(same) == pytest.approx(rows)
    found = cost.passes(SMALL, same)
    assert found["train_model"] == pytest.approx(3 * rows) and found["scores"] == 20
    assert cost.passes(SMALL, embedded("muon", max_repeats=5))["train_model"] == pytest.approx(3 * rows * 1.3)
    assert found["prefix_features"] == pytest.approx((4 + 10 + 6) * 0.4 * 5)
    more = cost.passes(SMALL, embedded(n_repeated=50, n_once=60, n_unseen=70))
    assert more["prefix_features"] == pytest.approx((20 + 10 + 10) * 0.4 * 5)
    uniform = (np.arange(10_000) + 0.5) / 10_000
    repeats = np.exp(np.log(5) + uniform * (np.log(50) - np.log(5))).mean()
    assert cost.n_trained(embedded(max_repeats=50)) == pytest.approx((10 + 4 * repeats) / whole, rel=1e-4)


@pytest.mark.parametrize(
    ("rule", "in_bytes"),
    [
        ("attention", 5 * (22 + 80) * 4 * 8),
        ("activation_gradients", 10 * 2 * 3 * 4 * 2 * (4 * 4 + 2)),  # q, k, v, z of heads; two of an MLP
        ("paragraphs", 350 * 100),
        ("edited_model", 4 * 2208),
        ("fig1", 150_000),
    ],
)
def test_bytes_on_the_disk_counted_by_hand(rule, in_bytes):
    assert cost.rule_bytes(rule, SMALL, counted()) == pytest.approx(in_bytes)


def test_seconds_are_those_of_imports_and_of_work():
    machine = Machine("any", 10, 7, 4)
    one, two = (cost.rule_seconds("scores", SMALL, counted(), machine, threads) for threads in (1, 2))
    work = 100 * cost.gflop_per_pass(SMALL, counted()) / (10 * 12 / 140)
    assert one == pytest.approx(7 + work) and two == pytest.approx(7 + work / 2)
    assert cost.rule_seconds("sets", SMALL, counted(), machine, 1) == pytest.approx(7 + 1.5 * 0.27 * work)
    on_gpu = machine._replace(gpus=1)
    assert cost.rule_seconds("scores", SMALL, counted(), on_gpu, 2) == one
    for rule, imports in (("fig1", 0.65), ("claims_scores", 0.35), ("claims", 0.35), ("paragraphs", 6)):
        assert cost.rule_seconds(rule, SMALL, counted(), machine, 1) == pytest.approx(7 * imports)
    settings = embedded(max_repeats=5)
    for native, share in ((True, 0.7), (False, 1.3)):
        found = cost.rule_seconds("train_model", SMALL, settings, machine._replace(bfloat16=native), 1)
        assert found == pytest.approx(7 + share * 0.9 * 256 / 247 * work)


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
    assert {job.gpus for job in planned.values()} == {0}
    on_gpu = jobs(steps, estimate(steps, known, cost.NAMED["h100"]))
    assert {name: job.gpus for name, job in on_gpu.items()} == dict.fromkeys(planned, 1)


def test_a_row_says_what_its_rule_takes_of_memory_and_disk():
    shape, settings = study("config")
    steps = [step("scores", ["x"]), step("model", ["x"]), step("fig1", ["x"])]
    frame = estimate(steps, {"results/x": (shape, settings)}, XEON).set_index("rule")
    asked = memory.stage_megabytes(shape, settings)
    assert frame.memory_mb.to_dict() == {"scores": asked["scores"], "model": asked["model"], "fig1": 2000}
    assert frame.gpu_mb.tolist() == [0, 0, 0] and frame.disk_mb.fig1 == pytest.approx(0.15)
    on_gpu = estimate(steps, {"results/x": (shape, settings)}, cost.NAMED["h100"]).set_index("rule")
    held = memory.stage_bytes(shape, settings)["scores"] / 1e6
    assert held <= on_gpu.gpu_mb.scores < held + 1 and on_gpu.gpu_mb.fig1 == 0


def test_a_summary_names_the_longest_rules_the_whole_and_the_longest_path():
    steps = [
        step(f"rule{number}", ["x"] if number == 0 else [f"results/x/rule{number - 1}"])
        for number in range(2)
    ]
    steps += [step(f"rule{number}", ["x"]) for number in range(2, 22)]
    frame = pd.DataFrame({"rule": [one.name for one in steps], "machine": "any", "jobs": 1, "threads": 1})
    frame = frame.assign(seconds=[180, 240, *[60] * 18, 20, 10], memory_mb=2000, gpu_mb=0, disk_mb=500.0)
    frame.loc[5, "memory_mb"] = 4000
    lines = summary(steps, frame, Machine("one", 10, 1, 1)).splitlines()
    assert lines[0] == "one (10 GFLOP/s a thread), 1 cores, 22 rules, downloads not timed"
    assert [line.split()[0] for line in lines[2:4]] == ["rule1", "rule0"] and len(lines[2:-3]) == 20
    assert "rule21" not in "".join(lines) and "rule20" not in "".join(lines)
    assert lines[-3] == f"total: {spoken(180 + 240 + 18 * 60 + 30)}"
    assert lines[-2] == "memory: at most 4.0 GB a rule; disk: 11.0 GB"
    assert lines[-1] == f"longest path: {spoken(420)}: rule0, rule1"


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
