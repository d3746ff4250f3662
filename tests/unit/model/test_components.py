"""The views of `memloc.model.components` against slices written by hand and what the model computes."""

from functools import partial

import torch
from torch import Tensor
from transformers import PreTrainedModel

from memloc.model.subject import Subject

subject = partial(Subject, n_prefix=1)


def by_name(model: PreTrainedModel) -> dict:
    return {(component.layer, component.name): component for component in subject(model).components}


def view(model: PreTrainedModel, layer: int, name: str) -> Tensor:
    component = by_name(model)[layer, name]
    return component.view(model.get_parameter(component.parameter).data)


def test_views_cover_every_weight_matrix_of_every_layer_exactly_once(any_model):
    seen = {name: torch.zeros_like(parameter) for name, parameter in any_model.named_parameters()}
    for component in subject(any_model).components:
        component.view(seen[component.parameter]).add_(1)
    for name, count in seen.items():
        is_layer_matrix = count.ndim == 2 and (".h." in name or ".layers." in name)
        assert (count == is_layer_matrix).all(), name
    assert sorted(subject(any_model).weights) == sorted(name for name in seen if seen[name].any())


@torch.no_grad()
def test_reordering_heads_through_the_views_leaves_the_model_unchanged(any_model, tiny_tokens):
    """Only if every view holds the same head of the same layer does the permuted model compute the same."""
    before = any_model(tiny_tokens).logits
    queries_first = view(any_model, 1, "W_Q")[0].clone()
    n_kv = len(view(any_model, 1, "W_K"))
    group = len(view(any_model, 1, "W_Q")) // n_kv
    kv_order = torch.arange(n_kv).roll(1)
    query_order = (kv_order[:, None] * group + torch.arange(group)).flatten()
    for name, order in {"W_Q": query_order, "W_O": query_order, "W_K": kv_order, "W_V": kv_order}.items():
        heads = view(any_model, 1, name)
        heads.copy_(heads[order].clone())
    assert not torch.equal(view(any_model, 1, "W_Q")[0], queries_first)
    torch.testing.assert_close(any_model(tiny_tokens).logits, before, atol=1e-4, rtol=1e-4)
    view(any_model, 1, "W_V").copy_(view(any_model, 1, "W_V").roll(1, dims=0))
    assert (any_model(tiny_tokens).logits - before).abs().max() > 1e-2
