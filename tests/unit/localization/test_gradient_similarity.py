"""Cosine similarity of gradients by component."""

import numpy as np
import pandas as pd
import pytest
import torch

from memloc.editing.gradients import nll_gradients
from memloc.localization.gradient_similarity import activation_cosine, component_cosine
from memloc.model.activations import Site
from memloc.model.components import components, editable_parameters

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


def test_activation_cosine_compares_group_means_and_halves():
    """Head 0: groups at a right angle; head 1: opposite; every paragraph of a group the same."""
    memorized = torch.tensor([[1.0, 0.0], [1e-20, 0.0]]).expand(4, 2, 2).clone()
    memorized[1::2, 0] = torch.tensor([-3.0, 4.0])  # halves of head 0 differ: cosine -0.6
    other = torch.tensor([[4.0, 2.0], [-7.0, 0.0]]).expand(5, 2, 2)
    value, post = Site(1, "v"), Site(1, "post")
    table = activation_cosine(
        {value: memorized, post: memorized[:, :1]}, {value: other, post: torch.zeros(5, 1, 2)}
    )
    assert list(table) == ["layer", "component", "head", "cosine", "cosine_memorized", "cosine_non_memorized"]
    assert table["head"].tolist() == [0, 1, pd.NA]
    mean = np.array([-1.0, 2.0])
    expected = mean @ [2, 1] / np.linalg.norm(mean) / np.linalg.norm([2, 1])
    assert table["cosine"].tolist() == pytest.approx([expected, -1, float("nan")], nan_ok=True)
    assert table["cosine_memorized"].tolist() == pytest.approx([-0.6, 1, -0.6])
    assert table["cosine_non_memorized"].tolist() == pytest.approx([1, 1, float("nan")], nan_ok=True)


def test_halves_hold_every_paragraph_once():
    """Of seven paragraphs that all differ: the first, third, .. and the second, fourth, .."""
    gradients = torch.randn(7, 1, 3, generator=torch.Generator().manual_seed(0))
    table = activation_cosine({Site(0, "v"): gradients}, {Site(0, "v"): -gradients})
    halves = [gradients[rows, 0].double().mean(dim=0).numpy() for rows in ([0, 2, 4, 6], [1, 3, 5])]
    expected = halves[0] @ halves[1] / np.prod([np.linalg.norm(half) for half in halves])
    assert table[["cosine_memorized", "cosine_non_memorized"]].to_numpy() == pytest.approx(expected)
    assert table["cosine"].tolist() == pytest.approx([-1])
