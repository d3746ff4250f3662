"""Both sides of every comparison find the same, and each is timed at what it is named for."""

from pathlib import Path

import pandas as pd
import pytest
import torch
import yaml

from memloc.bench import stages, subject
from memloc.bench.gradient_stages import LEARNING_RATE
from memloc.bench.measure import difference
from memloc.bench.run import ROUNDING, RUNS, TOLERANCE
from memloc.settings.errors import validate

CONFIG = Path(__file__).parents[3] / "config/bench.yaml"


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> subject.Bench:
    """A small model, and paragraphs of 24 tokens."""
    given = yaml.safe_load(CONFIG.read_text())
    given |= {"paragraph": {"length": 24, "prefix": 12}, "bench": {"size": "tiny"}}
    bench = subject.Bench(tmp_path_factory.mktemp("bench"), validate(given, str(CONFIG)), seed=0)
    subject.random_model(bench.sizes, seed=0).save_pretrained(bench.folder)
    return bench


@pytest.fixture(scope="module")
def own(bench: subject.Bench) -> torch.Tensor:
    torch.set_num_threads(1)
    return torch.from_numpy(subject.own_texts(bench))


@pytest.mark.parametrize("name", RUNS)
def test_both_sides_find_the_same(bench, own, name):
    comparison = RUNS[name](bench, own)
    plain = comparison.plain()()
    for stage, each in comparison.stages.items():
        found = each.prepare()()
        assert found.keys() & plain.keys()
        assert ("nll" in found) == (stage in {"scoring", "perturbation_nll"})
        assert difference(found, plain, comparison.chosen) <= TOLERANCE.get(stage, ROUNDING), stage


def test_diverted_texts_match_from_none_to_all(bench, own):
    changed = stages.diverted(bench, own) != own[:3]
    assert [row.nonzero().flatten().tolist() for row in changed] == [[12], [18], []]


def test_both_sides_of_an_edit_are_compared_by_how_far_weights_have_moved(bench, own):
    """Not by the weights themselves, of which a few steps are no part that a comparison would see."""
    comparison, of_an_mlp = RUNS["editing_step"](bench, own), 4 * bench.sizes.width**2
    farthest = bench.sizes.n_steps * LEARNING_RATE * of_an_mlp**0.5  # every weight as far as Adam goes
    for prepare in (comparison.stages["editing_step"].prepare, comparison.plain):
        moved = prepare()()["moved"]
        assert 0 < moved.max() < farthest and (moved >= 0).all()


def test_stages_are_asked_for_the_numbers_that_they_are_named_for(bench, own, monkeypatch):
    asked = []

    def perturb(*given):
        asked.append(given[2].nll)
        return pd.DataFrame({"id": [], "position": [], "em": [], "nll_original": []})

    monkeypatch.setattr(stages.replaced_tokens, "perturb_prefixes", perturb)
    run = RUNS["perturbation"](bench, own).stages
    for stage in run.values():
        stage.prepare()()
    assert dict(zip(run, asked, strict=True)) == {"perturbation_em": False, "perturbation_nll": True}
