"""Work by formula, next to what torch counts while a stage of the benchmark runs."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import torch
import yaml
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from memloc.bench import editing_run, gradient_stages, stages, subject
from memloc.bench.gradient_stages import LEARNING_RATE
from memloc.bench.measure import difference
from memloc.bench.run import ROUNDING, RUNS, TOLERANCE
from memloc.model import onednn
from memloc.removal.editing import Edits
from memloc.settings.errors import validate

CONFIG = Path(__file__).parents[3] / "config/bench.yaml"
# Attention is a small part of so short paragraphs: torch counts pairs of tokens that do not attend, too.
SIZES = {
    "n_layers": 4,
    "n_heads": 4,
    "width": 128,
    "vocabulary": 200,
    "window": 64,
    "plain_batch": 8,
    "n_paragraphs": 6,
    "n_perturbed": 2,
    "n_perturbed_plain": 1,
    "n_pairs": 2,
    "patched_plain_step": 1,
    "n_gradients": 4,
    "n_controls": 3,
    "n_steps": 3,
    "n_run_texts": 2,
    "n_run_steps": 3,
    "n_planted_steps": 3,
}
# Share of the counted work that the results need. The rest: rows of a batch that wait for its longest one,
# tokens decided again, single precision in place of bfloat16.
NEEDED = {
    "scoring": 0.975,
    "extraction": 0.975,
    "continuation": 0.75,
    "perturbation_em": 0.74,
    "perturbation_em_bfloat16": 0.63,
    "perturbation_nll": 0.77,
    "patching": 0.96,
    "attribution_patching": 1.03,
    "parameter_gradients": 0.99,
    "editing_step": 0.99,
    "editing_step_bfloat16": 0.57,
    "editing_run": 0.99,
    "editing_run_bfloat16_slopes": 0.99,
    "planting_step": 0.87,
}


class Counter(TorchDispatchMode):
    """Counts the operations of products, in gradients that are taken within passes, too."""

    def __init__(self) -> None:
        super().__init__()
        self.gflop = 0.0

    def __torch_dispatch__(
        self, function: Callable, types: tuple, args: tuple = (), kwargs: dict | None = None
    ):
        kwargs = kwargs or {}
        packet = function._overloadpacket
        if packet not in flop_registry and function is not torch.ops.prim.device.default:
            with self:
                if (parts := function.decompose(*args, **kwargs)) is not NotImplemented:
                    return parts
        found = function(*args, **kwargs)
        if packet in flop_registry:
            self.gflop += flop_registry[packet](*args, **kwargs, out_val=found) / 1e9
        return found


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> subject.Bench:
    """A small model, and paragraphs of 24 tokens."""
    folder, given = tmp_path_factory.mktemp("bench"), yaml.safe_load(CONFIG.read_text())
    given |= {"paragraph": {"length": 24, "prefix": 12}, "bench": given["bench"] | SIZES}
    given |= {"editing": {"evaluate_every": 2}}  # of three steps: once between them, and at the end
    settings = validate(given, str(CONFIG))
    shape = {name: SIZES[name] for name in ("n_layers", "n_heads", "width", "vocabulary", "window")}
    subject.random_model(shape, seed=0).save_pretrained(folder)
    return subject.Bench(folder, settings.bench, settings, seed=0)


@pytest.fixture(scope="module")
def own(bench: subject.Bench) -> torch.Tensor:
    torch.set_num_threads(1)
    return torch.from_numpy(subject.own_texts(bench)()()["tokens"])


def test_every_stage_is_counted(bench, own):
    assert set(NEEDED) == {stage for run in RUNS.values() for stage in run(bench, own).stages}


@pytest.mark.parametrize("name", RUNS)
def test_the_formula_is_the_work_that_is_done_without_what_nobody_needs(bench, own, name, monkeypatch):
    """And what is found is what the straightforward side finds."""
    monkeypatch.setattr(onednn, "available", lambda: False)  # torch does not count its products
    comparison = RUNS[name](bench, own)
    plain = comparison.plain()()
    for stage, each in comparison.stages.items():
        work = each.prepare()
        with Counter() as counter:
            found = work()
        assert NEEDED[stage] < each.gflop(found) / counter.gflop < 1.06, stage
        assert ("nll" in found) == (stage in {"scoring", "extraction", "perturbation_nll"})
        assert difference(found, plain, comparison.chosen) <= TOLERANCE.get(stage, ROUNDING), stage


def test_runs_of_edits_are_asked_for_the_products_that_they_are_named_for(bench, own, monkeypatch):
    asked, nothing = [], pd.DataFrame({name: [0.0] for name in (*editing_run.MATCHES, *editing_run.NLLS)})

    def spy(_model, _cases, recipe, *_others):
        asked.append(recipe.how.products)
        return Edits(nothing, nothing)

    monkeypatch.setattr(editing_run, "edit_paragraphs", spy)
    run = RUNS["editing_run"](bench, own)
    for stage in run.stages.values():
        stage.prepare()()
    assert dict(zip(run.stages, asked, strict=True)) == {
        "editing_run": "float32",
        "editing_run_bfloat16_slopes": "bfloat16_slopes",
    }
    # Both are held against the peak of single precision, in which all forward passes are.
    assert [stage.dtype for stage in run.stages.values()] == ["float32", "float32"]


def test_both_sides_of_an_edit_are_compared_by_how_far_weights_have_moved(bench, own):
    """Not by the weights themselves, of which a few steps are no part that a comparison would see."""
    comparison, of_an_mlp = RUNS["editing_step"](bench, own), SIZES["width"] * 4 * SIZES["width"]
    farthest = SIZES["n_steps"] * LEARNING_RATE * of_an_mlp**0.5  # every weight as far as Adam goes
    for prepare in (comparison.stages["editing_step"].prepare, comparison.plain):
        moved = prepare()()["moved"]
        assert 0 < moved.max() < farthest and (moved >= 0).all()


def test_stages_that_are_named_for_bfloat16_are_asked_for_it(bench, own, monkeypatch):
    asked = []
    monkeypatch.setattr(stages, "screening_model", lambda model, screening: asked.append(screening))
    monkeypatch.setattr(
        gradient_stages.steps, "optimise", lambda *given: asked.append(given[-1].how.products) or []
    )
    perturbed, edited = (RUNS[name](bench, own).stages.values() for name in ("perturbation", "editing_step"))
    for stage in perturbed:
        stage.prepare()
    for stage in edited:
        stage.prepare()()
    assert asked == ["none", "bfloat16", "none", "float32", "bfloat16"]
    assert [stage.dtype for stage in (*perturbed, *edited)] == [
        name.replace("none", "float32") for name in asked
    ]


def test_a_version_runs_from_its_replaced_token_to_the_first_mismatch(bench, own):
    """Position by position, as all tokens before the replaced one are those of the paragraph."""
    comparison, shape = RUNS["perturbation"](bench, own), bench.shape
    stage = comparison.stages["perturbation_em"]
    found = stage.prepare()()
    work = len(own[: bench.sizes.n_perturbed]) * sum(shape.layers(at, at + 1) for at in range(12))
    for number, em in enumerate(found["em"].tolist()):
        read = min(em + 1, 12)  # tokens of the continuation that are predicted
        work += sum(shape.layers(at, at + 1) for at in range(number % 12, 12 + read - 1))
        work += shape.unembedding(read)
    assert stage.gflop(found) == pytest.approx(work)
