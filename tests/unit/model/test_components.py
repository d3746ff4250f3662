"""The views of `memloc.model.components` against slices written by hand and what the model computes."""

from functools import partial

import pytest
import torch
from torch import Tensor
from transformers import PreTrainedModel

from memloc.localization.parameter_gradients import component_table
from memloc.model.subject import Subject
from tiny_models import LLAMA_LIKE

HEAD = 4  # d_head of the tiny models


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


@pytest.mark.parametrize(
    ("family", "query", "key"), [("olmo2", "q_norm", "k_norm"), ("qwen3", "q_proj", "k_proj")]
)
def test_heads_are_read_after_a_norm_of_all_of_them_together(family, query, key):
    """The norms of Qwen 3 take each head by itself."""
    by_output = {name: each.output for (_, name), each in by_name(LLAMA_LIKE[family]()).items()}
    read = {"W_Q": query, "W_K": key, "W_V": "v_proj", "W_O": "o_proj"}
    for name, module in read.items():
        assert by_output[name] == f"model.layers.1.self_attn.{module}"
    assert by_output["W_in"] == "model.layers.1.mlp.up_proj"


def test_grouped_query_models_have_one_row_per_real_head(tiny_llama):
    n_heads = {component.name: component.n_heads for component in subject(tiny_llama).components}
    assert n_heads == {"W_Q": 4, "W_K": 2, "W_V": 2, "W_O": 4, "W_gate": None, "W_in": None, "W_out": None}
    attention = tiny_llama.model.layers[0].self_attn
    assert torch.equal(view(tiny_llama, 0, "W_K")[1], attention.k_proj.weight[HEAD:].T)
    assert torch.equal(view(tiny_llama, 0, "W_gate"), tiny_llama.model.layers[0].mlp.gate_proj.weight)


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


def test_component_table_has_a_row_per_head_and_one_per_mlp_matrix(tiny_model):
    weights = {name: weight.detach() for name, weight in tiny_model.named_parameters()}
    table = component_table(
        subject(tiny_model), lambda c: {"norm": c.by_head(weights[c.parameter]).norm(dim=1)}
    )
    for _, row in table.iterrows():
        matrix = view(tiny_model, row["layer"], row["component"])
        weights = matrix if row.isna()["head"] else matrix[row["head"]]
        assert row["norm"] == pytest.approx(weights.norm().item(), rel=1e-5)
    assert not table.duplicated(["layer", "component", "head"]).any()
    assert table["head"].isna().equals(~table["component"].isin(["W_Q", "W_K", "W_V", "W_O"]))
    assert len(table) == 2 * sum(c.n_heads or 1 for c in subject(tiny_model).components if c.layer == 0)
