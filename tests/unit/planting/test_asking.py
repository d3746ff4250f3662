"""Asking about grown memories: which models, about what, and what the rows say."""

import copy

import numpy as np
import pytest
import torch

from memloc.model.subject import Subject
from memloc.planting import methods, weight_methods
from memloc.planting.asking import Asking, ask, auroc, models_of, place_scores
from memloc.planting.grown import grown_memories, swapped_memories
from memloc.settings.grown_truth import GrownTruth
from memloc.settings.methods import HEADS, METHODS, Method
from memloc.settings.model import Grown
from tiny_models import VOCABULARY

N_PREFIX = 12
KINDS = ["grown_heads", "grown_neurons", "grown_weights", "grown_everywhere"]
GROWS = Grown(kinds=KINDS, n_memories=2, n_neurons=8)


@pytest.fixture
def family(memorizing_model):
    """A model and two that differ from it, as its twins."""
    models = [copy.deepcopy(memorizing_model) for _ in range(3)]
    for number, model in enumerate(models):
        torch.manual_seed(number)
        for weight in model.parameters() if number else ():
            weight.data += 0.01 * torch.randn_like(weight)
    return [Subject(model, N_PREFIX, 4) for model in models]


@pytest.fixture
def asked(family, memories):
    """What questions about the family share."""
    config = family[0].model.config
    means = torch.zeros(config.num_hidden_layers, config.num_attention_heads, config.hidden_size // 4)
    counts, how = np.arange(VOCABULARY), GrownTruth(integration_steps=2)
    return Asking(counts, dict.fromkeys(family, means), [each.place for each in memories[:2]], how, 0)


@pytest.fixture
def memories(family):
    """Heads, neurons, weights and all weights 0 and 1 of the model; then 2 and 3, those of its swap twin."""
    own = grown_memories(family[0], np.arange(8), GROWS, 0)
    return own + swapped_memories(own)


def test_a_memory_of_the_swap_twin_is_asked_about_there_first(family, memories):
    own, swapped, never = family
    for memory in memories:
        first, other = (own, swapped) if memory.number < 2 else (swapped, own)
        found = models_of(memory, 2, family)
        assert list(found) == ["own", "twin", "never"]
        assert all(found[name] is subject for name, subject in zip(found, (first, other, never), strict=True))


def test_rows_say_how_well_every_method_finds_the_place(family, asked, memories, memorized_tokens):
    for memory in memories[:6:2]:
        tokens, models = memorized_tokens[memory.id, None], models_of(memory, 2, family)
        before = [copy.deepcopy(subject.model.state_dict()) for subject in family]
        found = ask(memory, tokens, models, asked)
        for subject, weights in zip(family, before, strict=True):
            assert all(torch.equal(subject.model.state_dict()[name], own) for name, own in weights.items())
        labels = found[["kind", "memory", "id"]].drop_duplicates().values.tolist()
        assert labels == [[memory.kind, memory.number, memory.id]]
        known = found[found["method"] == "oracle"]
        assert set(known["asked_model"]) == {"own", "twin", "never"}
        for row in known.itertuples():
            holds = memory.place.units[row.granularity].flatten()
            assert (row.n_units, row.n_place) == (len(holds), int(holds.sum()))
            assert row.recall > 0, "the oracle names a unit of the place first"
        own = known[known["granularity"] == memory.place.own]
        assert (own["average_precision"] == 1).all()
        layer, _ = memory.place.numbers
        assert own["place_layer"].isna().all() if layer is None else (own["place_layer"] == layer).all()
        assert own["auroc_in_layer"].isna().all() if layer is None else (own["auroc_in_layer"] == 1).all()


def test_of_a_place_over_two_layers_heads_are_ranked_within_each(family, asked, memorized_tokens):
    how = GROWS.model_copy(update={"kinds": ["grown_two_layers"]})
    memory = grown_memories(family[0], np.arange(2), how, 0)[0]
    heads = memory.place.units["head"]
    assert heads.sum(dim=1).tolist() == [1, 1]
    found = ask(memory, memorized_tokens[:1], {"own": family[0]}, asked).query("granularity == 'head'")
    assert (
        found["place_layer"].isna().all() and (found.query("method == 'oracle'")["auroc_in_layer"] == 1).all()
    )
    scores = weight_methods.weight_size(family[0], None)["head"]
    within = [auroc(own.numpy(), holds.numpy()) for own, holds in zip(scores, heads, strict=True)]
    assert found.query("method == 'weight_size'")["auroc_in_layer"].item() == pytest.approx(np.mean(within))


def test_a_memory_grown_everywhere_is_scored_against_the_places_of_heads(
    family, asked, memories, memorized_tokens
):
    """It has no place, so to know it is no better than chance."""
    found = ask(memories[6], memorized_tokens[:1], models_of(memories[6], 2, family), asked)
    assert set(found["granularity"]) == {"head"} and found["place_layer"].isna().all()
    assert (found["n_place"] == 3).all()
    assert found.query("method == 'oracle'")["auroc_in_layer"].tolist() == pytest.approx([0.5] * 3)
    scores = weight_methods.weight_size(family[0], None)["head"].flatten().numpy()
    masks = [each.place.units["head"].flatten().numpy() for each in memories[:2]]
    expected = np.mean([place_scores(scores, mask)["average_precision"] for mask in masks])
    row = found.query("method == 'weight_size' and asked_model == 'own'")
    assert row["average_precision"].item() == pytest.approx(expected)


@pytest.fixture
def with_constant(family, asked, memories, memorized_tokens, monkeypatch):
    """What is found about the first memory if one of two methods always gives the same scores."""

    def found(scores, units):
        monkeypatch.setattr(weight_methods, "constant", lambda subject, question: scores, raising=False)
        registry = {"constant": Method(units), "weight_size": METHODS["weight_size"]}
        monkeypatch.setattr(methods, "METHODS", registry)
        return ask(memories[0], memorized_tokens[:1], models_of(memories[0], 2, family), asked)

    return found


def test_a_method_that_prefers_the_layer_is_at_chance_within_it(memories, with_constant):
    heads = memories[0].place.units["head"]
    layers = {"head": heads.any(dim=1, keepdim=True).float().expand(heads.shape)}
    found = with_constant(layers, ("head",))
    row = found[found["method"] == "constant"].iloc[0]
    assert row["average_precision"] > heads.float().mean()
    assert row["auroc_in_layer"] == pytest.approx(0.5)


def test_a_method_that_always_names_one_place_gains_nothing_over_the_twin(memories, with_constant):
    lucky = {name: units.float() for name, units in memories[0].place.units.items()}
    found = with_constant(lucky, HEADS)
    wide = found[found["granularity"] == "head"].pivot(index="method", columns="asked_model", values="recall")
    assert wide.loc["constant", "own"] == wide.loc["constant", "twin"] == wide.loc["constant", "never"]
    assert wide.loc["weight_size"].notna().all()
