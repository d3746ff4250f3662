"""Kinds of places: how large they are, what holds them, and how rankings of units are scored."""

from functools import partial

import numpy as np
import pytest
import torch

from memloc.model.subject import Subject
from memloc.model.weights import n_weights, pooled
from memloc.planting.asking import auroc, place_scores
from memloc.planting.places import place_of

subject = partial(Subject, n_prefix=1)


@pytest.mark.parametrize(("kind", "unit"), [("grown_heads", "head"), ("grown_neurons", "neuron")])
def test_a_place_holds_all_weights_of_its_units(tiny_model, kind, unit):
    chosen = np.array([1, 0])
    place = place_of(subject(tiny_model), kind, 1, chosen)
    by_name = {(one.layer, one.name): one for one in subject(tiny_model).components}
    weight = tiny_model.get_parameter
    sizes = {name: one.view(weight(one.parameter)).numel() for (_, name), one in by_name.items()}
    head = sum(sizes[name] for name in ("W_Q", "W_K", "W_V", "W_O")) // subject(tiny_model).n_groups
    neuron = sum(sizes.get(name, 0) for name in ("W_in", "W_gate", "W_out")) // subject(tiny_model).n_neurons
    expected = 2 * {"head": head, "neuron": neuron}[unit]
    assert n_weights(subject(tiny_model), place.movable) == expected == int(place.units["weight"].sum())
    assert place.own == unit and place.units[unit].nonzero().tolist() == [[1, own] for own in (0, 1)]
    assert place.units["layer"].nonzero().flatten().tolist() == [1]


def test_pooled_scores_are_those_of_the_units_one_by_one(tiny_model):
    torch.manual_seed(0)
    names = [one.parameter for one in subject(tiny_model).components]
    weights = {name: torch.rand_like(tiny_model.get_parameter(name)) for name in names}
    for pool, reduce in (("sum", torch.sum), ("max", torch.amax)):
        found = pooled(subject(tiny_model), weights, pool)
        for number, unit in ((1, 0), (0, 1)):
            rows = [
                subject(tiny_model).by_unit(one, weights[one.parameter])[unit].flatten()
                for one in subject(tiny_model).components
                if one.layer == number and one.name in ("W_Q", "W_K", "W_V", "W_O")
            ]
            torch.testing.assert_close(found["head"][number, unit], reduce(torch.cat(rows), 0))
        second = [one for one in subject(tiny_model).components if one.layer == 1]
        own = [one.view(weights[one.parameter]).flatten() for one in second]
        torch.testing.assert_close(found["layer"][1], reduce(torch.cat(own), 0))
    assert len(found["weight"]) == sum(own.numel() for own in weights.values())


def slow_scores(scores, holds, n_orders=4000):
    """Recall, average rank and AUROC over random orders of tied units; average precision by thresholds."""
    rng, k, recalls = np.random.default_rng(0), holds.sum(), []
    for _ in range(n_orders):
        order = np.lexsort((rng.random(len(scores)), -scores))
        recalls.append(holds[order[:k]].sum() / k)
    precision = [holds[scores >= score].mean() for score in scores[holds]]
    pairs = [(a > b) + (a == b) / 2 for a in scores[holds] for b in scores[~holds]]
    return np.mean(recalls), np.mean(precision), np.mean(pairs)


@pytest.mark.parametrize("seed", range(2))
def test_scores_with_ties_are_means_over_orders(seed):
    rng = np.random.default_rng(seed)
    scores, holds = rng.integers(6, size=30).astype(np.float32), rng.random(30) < 0.15
    holds[3] = True
    found, (recall, precision, chance) = place_scores(scores, holds), slow_scores(scores, holds)
    assert found["recall"] == pytest.approx(recall, abs=0.03)
    assert found["average_precision"] == pytest.approx(precision)
    assert auroc(scores, holds) == pytest.approx(chance)
