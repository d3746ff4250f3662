"""Ablation of heads against edits of the weights and written-out hooks, in every model family."""

from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch
from plain_hooks import columns, d_head, edited
from plain_runs import logits_without
from torch import Tensor
from whole_passes import assert_scores_are_those_of

from memloc.localization.ablation import (
    ablate,
    ablated,
    ablated_scores,
    ablation,
    first_heads,
    mean_outputs,
    orders,
    single_heads,
)
from memloc.model import passes
from memloc.model.subject import Subject
from memloc.scoring.paragraph_scores import teacher_forced

N_PREFIX = 5
subject = partial(Subject, n_prefix=N_PREFIX, micro_batch=100)


def zeros(model) -> Tensor:
    config = model.config
    return torch.zeros(config.num_hidden_layers, config.num_attention_heads, d_head(model))


def test_outputs_of_several_heads_are_replaced_by_theirs(any_model, tiny_tokens):
    outputs = torch.randn_like(zeros(any_model))
    heads = [(0, 1), (1, 0), (1, 3)]
    with ablated(subject(any_model), heads, outputs):
        fast = any_model(tiny_tokens).logits
    torch.testing.assert_close(fast, logits_without(any_model, heads, outputs, tiny_tokens))
    assert torch.equal(any_model(tiny_tokens).logits, any_model(tiny_tokens).logits)


def test_means_are_those_of_written_out_hooks(any_model, tiny_tokens):
    means = mean_outputs(subject(any_model, micro_batch=3), tiny_tokens)
    for layer in range(2):
        seen = []
        with edited(any_model, layer, "z", lambda z, seen=seen: seen.append(z) or z), torch.no_grad():
            any_model(tiny_tokens)
        for head in range(4):
            own = seen[0][..., columns(any_model, "z", head)]
            torch.testing.assert_close(means[layer, head], own.mean(dim=(0, 1)), atol=1e-6, rtol=1e-5)
    assert not any(module._forward_pre_hooks for module in any_model.modules())


def test_every_head_is_ablated_by_itself(memorizing_model, texts):
    means = mean_outputs(subject(memorizing_model, micro_batch=4), texts["held_out"].tokens)
    table = ablate(subject(memorizing_model, micro_batch=4), texts, {"heads": single_heads(means)})["heads"]
    assert len(table) == 2 * 4 * 7
    for head, rows in table.groupby(["layer", "head"]):
        without = partial(ablated, subject(memorizing_model), [head], means)
        assert_scores_are_those_of(rows, subject(memorizing_model), texts, without)
    assert table["nll_gained"].abs().max() > 0.1


def test_the_first_heads_of_orders_are_ablated_together(memorizing_model, texts):
    means = mean_outputs(subject(memorizing_model, micro_batch=4), texts["held_out"].tokens)
    heads = [(1, 3), (0, 0), (1, 1)]
    by_order = {("a", 0): heads, ("random", 1): heads[::-1]}
    plan = first_heads([(*name, order) for name, order in by_order.items()], means, (2, 1, 3, 9))
    single = single_heads(means)
    found = ablate(subject(memorizing_model, micro_batch=4), texts, {"single": single, "orders": plan})
    assert len(found["single"]) == 8 * 7
    groups = found["orders"].groupby(["method", "draw", "n_heads"], sort=False)
    assert [*groups.groups] == [(*name, k) for name in by_order for k in (0, 1, 2, 3)]
    for (method, draw, k), rows in groups:
        without = partial(ablated, subject(memorizing_model), by_order[method, draw][:k], means)
        assert_scores_are_those_of(rows, subject(memorizing_model), texts, without)


MANY = [[], [(0, 1)], [(1, 0)], [(1, 3), (1, 2)], [(1, 3), (0, 0)], [(0, 0)], [(1, 2), (1, 3)]]


def test_ablations_from_their_first_layers_equal_whole_passes(any_model, tiny_tokens):
    outputs = torch.randn_like(zeros(any_model))
    others = torch.randn_like(outputs)
    chosen = [*((heads, outputs) for heads in MANY), ([(0, 0)], others)]
    every = [ablation(*one) for one in chosen]
    whole, *found = ablated_scores(subject(any_model, micro_batch=3), tiny_tokens, every)
    assert whole.equals(found[0])
    for one, scores in zip(chosen, found, strict=True):
        with ablated(subject(any_model), *one):
            slow = teacher_forced(subject(any_model), tiny_tokens)
        assert scores["em"].tolist() == slow.em.tolist()
        assert scores["nll"].tolist() == pytest.approx(slow.nll.tolist(), abs=1e-5)
    assert found[3].equals(found[6]), "the same heads in another order"
    assert len({tuple(scores["nll"]) for scores in found}) == len(chosen) - 1


def test_layers_below_an_ablation_are_not_run_again_and_equal_ones_run_once(
    tiny_gpt_neo, tiny_tokens, monkeypatch
):
    run, call = [], passes.call_layer
    monkeypatch.setattr(passes, "call_layer", lambda *given: run.append(given[1]) or call(*given))
    outputs = zeros(tiny_gpt_neo)
    ablated_scores(subject(tiny_gpt_neo), tiny_tokens, [ablation(heads, outputs) for heads in MANY])
    # The norm of the intact model, of MANY[0], ..
    assert run == [2, 2, 0, 1, 2, 1, 2, 1, 2, 0, 1, 2, 0, 1, 2]


def test_orders_are_those_of_the_ranking_and_random_ones():
    heads = {"b": [(0, 2), (1, 0), (0, 0), (0, 1)], "combined": [(1, 0), (0, 1), (0, 0), (0, 2)]}
    rows = [(method, *head, rank) for method, order in heads.items() for rank, head in enumerate(order, 1)]
    ranking = pd.DataFrame(rows, columns=["method", "layer", "head", "rank"]).sample(frac=1, random_state=0)
    found = orders(ranking, 6, np.random.default_rng(0))
    assert sorted(found[:2]) == [(method, 0, heads[method]) for method in ("b", "combined")]
    assert [(method, draw) for method, draw, _ in found[2:]] == [("random", draw) for draw in range(6)]
    assert all(sorted(order) == sorted(heads["b"]) for *_, order in found)
    for *_, order in found[2:]:
        assert [layer for layer, _ in order] == [1, 0, 0, 0], "heads are exchanged within their layers"
    assert len({tuple(order) for *_, order in found[2:]}) > 2, "each draw has its own order"
    assert orders(ranking, 6, np.random.default_rng(1)) != found
