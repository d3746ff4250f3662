"""Cosines of forward activations against plain torch hooks, one paragraph at a time."""

import copy

import numpy as np
import pytest
import torch

from memloc.localization.forward_similarity import forward_similarity
from memloc.model.activations import COMPONENTS, HEAD_COMPONENTS
from memloc.model.loading import boot_bridge
from memloc.perturbation.pairs import Pairs
from memloc.straightforward.hooks import activation, columns, n_heads
from memloc.tables.schema import Lengths
from memloc.tables.schemas import schema_of
from memloc.tables.validation import validate

KEYS = ["id", "layer", "component", "head", "role"]


@pytest.fixture
def pairs(tiny_tokens):
    """Three paragraphs with one other token each; that of the second predicts the impact token."""
    memorized, position = tiny_tokens[:3], torch.tensor([4, 5, 0])
    perturbed = memorized.clone()
    perturbed[torch.arange(3), position] = (memorized[torch.arange(3), position] + 17) % 64
    return Pairs(np.array([31, 8, 50]), memorized, perturbed, position, torch.tensor([9, 6, 11]))


def plain_vectors(model, paragraph, layer, component, position):
    """The activation at a position, a vector for each head; an MLP has one."""
    with torch.no_grad():
        value = activation(model, paragraph[None], layer, component)[0][0, position]
    if component not in HEAD_COMPONENTS:
        return [value]
    return [value[columns(model, component, head)] for head in range(n_heads(model, component))]


def cosine(a, b):
    return float(a @ b / a.norm() / b.norm())


def test_cosines_equal_those_of_plain_hooks(any_model, pairs):
    plain = copy.deepcopy(any_model)
    frame = forward_similarity(boot_bridge(any_model), pairs, micro_batch=2)
    found = frame.assign(head=frame["head"].fillna(0)).set_index(KEYS).sort_index()
    n_expected = 0
    for number, name in enumerate(pairs.ids):
        other = (number + 1) % 3
        at = {"perturbed": pairs.perturbed_position, "impact": pairs.impact_position - 1}
        for role, position in at.items():
            for layer in range(2):
                for component in COMPONENTS:
                    here = layer, component, int(position[number])
                    own, new = (
                        plain_vectors(plain, rows[number], *here)
                        for rows in (pairs.memorized, pairs.perturbed)
                    )
                    there = layer, component, int(position[other])
                    others = plain_vectors(plain, pairs.memorized[other], *there)
                    for head, vectors in enumerate(zip(own, new, others, strict=True)):
                        row = found.loc[name, layer, component, head, role]
                        assert row["position"] == position[number]
                        assert row["cosine"] == pytest.approx(cosine(*vectors[:2]), abs=1e-5)
                        assert row["cosine_other"] == pytest.approx(cosine(*vectors[::2]), abs=1e-5)
                        n_expected += 1
    assert len(frame) == n_expected
    lengths = Lengths(paragraph=12, prefix=6)
    assert len(validate(schema_of("forward_similarity"), frame, lengths)) == n_expected


def test_values_of_the_perturbed_token_differ_from_the_first_layer_on(tiny_gpt2, pairs):
    frame = forward_similarity(boot_bridge(tiny_gpt2), pairs, micro_batch=3)
    first = frame.query("layer == 0 and component == 'v'")
    assert (first.query("role == 'perturbed'")["cosine"] < 0.99).all()
    assert first.query("role == 'impact' and id != 8")["cosine"].to_numpy() == pytest.approx(1, abs=1e-6)


def test_a_single_pair_has_no_other_paragraph(tiny_gpt2, pairs):
    one = Pairs(*(column[:1] for column in pairs))
    frame = forward_similarity(boot_bridge(tiny_gpt2), one, micro_batch=1)
    assert frame["cosine_other"].isna().all() and frame["cosine"].notna().all()


def test_a_vanished_activation_has_no_direction(tiny_gpt2, pairs):
    """Without weights and bias the values of a head are zero, and with them its output."""
    projection, columns_of_head = tiny_gpt2.transformer.h[1].attn.c_attn, slice(40, 44)  # 16 of q, k and v
    with torch.no_grad():
        projection.weight[:, columns_of_head] = 0
        projection.bias[columns_of_head] = 0
    frame = forward_similarity(boot_bridge(tiny_gpt2), pairs, micro_batch=3)
    for column in ("cosine", "cosine_other"):
        missing = frame[frame[column].isna()]
        found = missing[["layer", "component", "head"]].drop_duplicates().to_numpy().tolist()
        assert found == [[1, "v", 2], [1, "z", 2]] and len(missing) == 2 * 3 * 2
