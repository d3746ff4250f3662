"""Cosine similarity of gradients by component."""

import pytest
import torch
from memloc.components import components, editable_parameters
from memloc.gradient_similarity import component_cosine
from memloc.gradients import nll_gradients

N_PREFIX = 5


def test_cosine_equals_the_inner_product_of_unit_vectors(tiny_model, tiny_tokens):
    a, b = (nll_gradients(tiny_model, rows, N_PREFIX, 2) for rows in (tiny_tokens[:3], tiny_tokens[3:]))
    expected = []
    for component in components(tiny_model):
        x, y = component.view(a[component.parameter]), component.view(b[component.parameter])
        pairs = [(x, y)] if component.n_heads is None else zip(x, y, strict=True)
        expected += [((x * y).sum() / (x.norm() * y.norm())).item() for x, y in pairs]
    table = component_cosine(tiny_model, a, b)
    assert list(table) == ["layer", "component", "head", "cosine"]
    assert table["cosine"].tolist() == pytest.approx(expected, abs=1e-5)


def test_same_opposite_and_independent_directions(tiny_gpt_neo):
    a = {
        name: torch.randn_like(tiny_gpt_neo.get_parameter(name)) for name in editable_parameters(tiny_gpt_neo)
    }
    # Memorized paragraphs have gradients of any small size: the similarity must not depend on it.
    tiny = {name: -1e-20 * gradient for name, gradient in a.items()}
    assert component_cosine(tiny_gpt_neo, a, a)["cosine"].tolist() == pytest.approx([1.0] * 36)
    assert component_cosine(tiny_gpt_neo, a, tiny)["cosine"].tolist() == pytest.approx([-1.0] * 36)


def test_a_vanished_gradient_has_no_direction(tiny_gpt_neo):
    a = {
        name: torch.ones_like(tiny_gpt_neo.get_parameter(name)) for name in editable_parameters(tiny_gpt_neo)
    }
    b = {name: gradient.clone() for name, gradient in a.items()}
    value = next(c for c in components(tiny_gpt_neo) if (c.layer, c.name) == (1, "W_V"))
    value.view(b[value.parameter])[2].zero_()
    table = component_cosine(tiny_gpt_neo, a, b)
    missing = table[table["cosine"].isna()]
    assert missing[["layer", "component", "head"]].values.tolist() == [[1, "W_V", 2]]
