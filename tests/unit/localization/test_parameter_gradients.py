"""Attribution scores against loops over plain autograd."""

from functools import partial

import numpy as np
import pytest
import torch
from plain_decoding import mean_nll
from torch import Tensor
from transformers import PreTrainedModel

from memloc.data.draws import Parts, draw
from memloc.editing.gradients import nll_gradients
from memloc.localization import gradient_parts
from memloc.localization.parameter_gradients import compare_groups, component_scores
from memloc.model.subject import Subject

N_PREFIX = 5
subject = partial(Subject, n_prefix=N_PREFIX, micro_batch=3)


def scores(model: PreTrainedModel, tokens: Tensor):
    return component_scores(subject(model), nll_gradients(subject(model), tokens), "memorized")


def test_scores_equal_a_loop_over_plain_autograd(any_model, tiny_tokens):
    labels = tiny_tokens.clone()
    labels[:, :N_PREFIX] = -100
    table = scores(any_model, tiny_tokens)
    any_model(tiny_tokens, labels=labels).loss.backward()
    expected, places = [], []
    for component in subject(any_model).components:
        whole = component.view(any_model.get_parameter(component.parameter).grad)
        expected += [whole] if component.n_heads is None else list(whole)
        places += [(component.layer, component.name, head) for head in range(component.n_heads or 0) or [-1]]
    found = table[["layer", "component", "head"]].fillna({"head": -1})
    assert [*found.itertuples(index=False, name=None)] == places
    largest = [g.abs().max().item() for g in expected]
    assert table["max_abs"].tolist() == pytest.approx(largest, rel=1e-4, abs=1e-7)
    sums = [g.abs().sum().item() for g in expected]
    assert table["sum_abs"].tolist() == pytest.approx(sums, rel=1e-4, abs=1e-6)
    assert table["n_weights"].tolist() == [g.numel() for g in expected]
    assert (table["group"] == "memorized").all()


def compare(model, samples, parts=None, paired=None):
    """`compare_groups` of paragraphs whose ids are 0, 1, .. in the first group, 100, 101, .. in the next."""
    firsts = dict(zip(samples, (0, 100, 200), strict=False))
    with_ids = {group: (firsts[group] + np.arange(len(own)), own) for group, own in samples.items()}
    paired = samples["memorized"][:0] if paired is None else paired
    more = np.arange(900, 900 + len(paired)), paired
    parts = parts or [np.arange(len(samples["memorized"]))]
    draws = draw([len(p) for p in parts], [[p] for p in range(len(parts))], np.random.default_rng(0), 5)
    return compare_groups(subject(model), with_ids, more, Parts(parts, draws)), draws


def test_paragraphs_have_their_nll_and_the_size_of_their_own_gradient(tiny_gpt2, tiny_tokens):
    samples = {"memorized": tiny_tokens[:3], "non_memorized": tiny_tokens[3:5]}
    found = compare(tiny_gpt2, samples, [np.array([2, 0]), np.array([1])], tiny_tokens[5:6])[0].paragraphs
    assert found["id"].unique().tolist() == [0, 1, 2, 100, 101, 900] and len(found) == 12
    for id, row in ((0, 0), (2, 2), (101, 4), (900, 5)):
        alone = scores(tiny_gpt2, tiny_tokens[row : row + 1]).groupby("layer")
        rows = found[found["id"] == id].set_index("layer")
        nll = mean_nll(tiny_gpt2, tiny_tokens[row : row + 1], N_PREFIX).item()
        assert rows["nll"].tolist() == pytest.approx([nll] * 2, rel=1e-5)
        assert rows["score_sum"].tolist() == pytest.approx(alone["max_abs"].sum().tolist(), rel=1e-4)
        assert rows["sum_abs"].tolist() == pytest.approx(alone["sum_abs"].sum().tolist(), rel=1e-4)


def test_samples_are_the_scores_of_their_mean_gradient(tiny_model, tiny_tokens):
    """The maximum of a mean of gradients, by running the paragraphs that are in it."""
    memorized, parts = tiny_tokens[:5], [np.array([4, 0]), np.array([1, 3]), np.array([2])]
    samples = {"memorized": memorized, "non_memorized": tiny_tokens[5:]}
    result, draws = compare(tiny_model, samples, parts)
    for (kind, number), weights in zip(draws.keys.itertuples(index=False), draws.weights, strict=True):
        counts = np.round(weights / weights[weights > 0].min()).astype(int)
        rows = np.concatenate([np.repeat(part, n) for part, n in zip(parts, counts, strict=True)])
        expected = scores(tiny_model, memorized[torch.from_numpy(rows)])
        found = result.samples.query(f"sample == '{kind}' and number == {number}")
        if kind == "resample":
            expected = expected[expected["head"].notna()]
        assert found["max_abs"].tolist() == pytest.approx(expected["max_abs"].tolist(), rel=1e-3, abs=1e-6)
    assert len(draws.weights) == 3 + 3 + 5
    assert (result.samples["group"] == "memorized").all()


@pytest.mark.parametrize("n_held", [1, 6, 9, 100])
@pytest.mark.parametrize("place", [0, 3, 6])
def test_sums_are_searched_in_every_column_whatever_is_held_at_a_time(monkeypatch, n_held, place):
    monkeypatch.setattr(gradient_parts, "SUMS_HELD", n_held)
    sums = torch.ones(2, 7)
    sums[0, place] = -9
    weights = torch.tensor([[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]])
    assert gradient_parts.largest_sums(weights, sums).tolist() == [9, 4, 1]
