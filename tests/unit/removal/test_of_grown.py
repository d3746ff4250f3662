"""Removals of memories whose places are known, against plain runs of single weights."""

import copy

import numpy as np
import pytest
import torch
from made_requests import N_PREFIX, subject
from plain_gradients import nll
from plain_runs import decode, plain_gradients
from plain_unlearning import objective, train

from memloc.model.weights import Original
from memloc.planting.grown import grown_memories
from memloc.removal.of_grown import another_place, remove_memories
from memloc.scoring.held_out import Group
from memloc.settings.model import Grown
from memloc.settings.removal_ways import EDITS
from memloc.tables.columns import Lengths
from memloc.tables.schemas import schema_of
from memloc.tables.validation import validate

KINDS, N_CONTINUATION = ["grown_heads", "grown_neurons", "grown_weights"], 24 - N_PREFIX
# No twins are trained here, so one memory of a kind is enough.
GROWN = Grown(kinds=KINDS, n_neurons=8).model_copy(update={"n_memories": 1})


@pytest.fixture
def grown(study):
    """The study with the first paragraphs as memories, and each of these with another place."""
    memories = grown_memories(study.subject, np.arange(3), GROWN, 0)
    others = [another_place(study.subject, each, memories, np.random.default_rng(1)) for each in memories]
    target = study.texts.target.of(slice(3))
    judges = study.texts.judges | {"grown": Group(target.ids, target.tokens, target.ids < 0)}
    texts = study.texts._replace(target=target, judges=judges)
    return study._replace(texts=texts), list(zip(memories, others, strict=True))


def marked(model, place):
    """A mask for every W_* weight."""
    found = {name: torch.zeros_like(model.get_parameter(name)) for name in subject(model).weights}
    for name, flat in place.items():
        found[name].view(-1)[flat] = 1
    return found


def em(model, tokens):
    same = decode(model, tokens[:, :N_PREFIX], N_CONTINUATION) == tokens[:, N_PREFIX:]
    return same.long().cumprod(dim=1).sum(dim=1)


def unlearned(study, tokens, rate, place=None):
    """Dense Adam whose gradients are masked: the largest ones of all, or as many of a place."""
    slow = copy.deepcopy(study.subject.model)
    every = {name: slice(None) for name in subject(slow).weights}
    inside = marked(slow, every if place is None else place)
    first = plain_gradients(slow, nll(slow, tokens, N_PREFIX), list(inside))
    n = round(study.how.fraction * sum(mask.numel() for mask in inside.values()))
    sizes = sorted(float(size) for name, mask in inside.items() for size in first[name].abs()[mask > 0])
    masks = {name: (first[name].abs() >= sizes[-n:][0]) & (mask > 0) for name, mask in inside.items()}
    train(slow, objective(tokens, study.texts.keep, N_PREFIX), lambda _: masks, rate, study.how.steps)
    return slow


@pytest.mark.parametrize("number", range(3))
def test_unlearning_that_is_told_a_place_is_dense_adam_with_masked_gradients(grown, number):
    study, places = grown
    memory, other = places[number]
    tokens = study.texts.target.tokens[number, None]
    target = study.texts.target.of(slice(number, number + 1))
    asked = study._replace(texts=study.texts._replace(target=target))
    found = remove_memories(asked, [places[number]], "top").set_index("arm")
    mild, strong = study.how.unlearning
    inside = marked(study.subject.model, memory.place.movable)
    share = sum(mask.sum() for mask in inside.values()) / sum(mask.numel() for mask in inside.values())
    for arm, place in {"free": None, "place": memory.place.movable, "elsewhere": other}.items():
        row, slow = found.loc[arm], unlearned(study, tokens, mild, place)
        if arm != "elsewhere":  # which takes the setting for the place
            rate = mild if int(em(slow, tokens)) < N_CONTINUATION else strong
        slow = slow if rate == mild else unlearned(study, tokens, strong, place)
        assert row["setting"] == f"learning rate {rate:g}"
        after = {name: slow.get_parameter(name).detach() for name in inside}
        moved = {name: (weight - study.subject.weights[name].detach()) ** 2 for name, weight in after.items()}
        whole = sum(float(change.sum()) for change in moved.values())
        own = sum(float((change * inside[name]).sum()) for name, change in moved.items())
        assert row["share_inside"] == pytest.approx(own / whole, abs=1e-4)
        assert row["share_place"] == pytest.approx(float(share))
        assert row["n_changed_weights"] == sum(int((change > 0).sum()) for change in moved.values())
        assert row["em"] == int(em(slow, tokens))
        # A recited token's slope is 1 - p, of which single precision has three digits or fewer, and Adam's
        # first step has full length even where a gradient is only rounding.
        assert row["nll"] == pytest.approx(nll(slow, tokens, N_PREFIX).item(), rel=0.02)
        texts = study.texts.judges["held_out"].tokens
        gained = nll(slow, texts, N_PREFIX) - nll(study.subject.model, texts, N_PREFIX)
        assert row["nll_gained"] == pytest.approx(gained.item(), rel=0.1, abs=1e-3)
        others = torch.cat([study.texts.target.tokens[n, None] for n in range(3) if n != number])
        assert row["grown_lost"] == pytest.approx(N_CONTINUATION - float(em(slow, others).double().mean()))


@pytest.mark.parametrize("way", EDITS)
def test_a_way_that_is_told_a_place_changes_nothing_else(grown, way):
    study, places = grown
    original = Original(study.subject)
    found = remove_memories(study, places, way)
    assert len(validate(schema_of("removal_of_grown"), found, Lengths(24, N_PREFIX))) == 9
    assert original.n_changed({}) == 0
    rows = found.pivot(index="kind", columns="arm")
    share, n_changed = rows["share_inside"], rows["n_changed_weights"]
    assert (share["place"].dropna() > 1 - 1e-9).all() and (share["elsewhere"].dropna() == 0).all()
    blind = not way.startswith(("top", "random", "all", "head", "gradient"))  # they change MLPs alone
    assert share.loc["grown_heads"].isna().tolist() == [blind, False, blind]
    assert share["place"].notna().tolist() == [not blind, True, True]
    assert (share.loc["grown_heads", "free"] == 0) == blind
    if way.startswith(("neurons", "balanced")):  # as many as the setting says, or all that the place has
        n = n_changed.loc["grown_neurons"]
        most = {160, 8 * 32} if way != "balanced_subnet" else {min(n["free"], 8 * 64)}
        assert n["place"] == n["elsewhere"] and n["place"] in most


@pytest.mark.parametrize("kind", KINDS)
def test_another_place_is_of_units_that_no_memory_of_the_kind_has(memorizing_model, kind):
    how = GROWN.model_copy(update={"kinds": [kind]})
    (memory,) = memories = grown_memories(subject(memorizing_model), np.arange(1), how, 0)
    rngs = map(np.random.default_rng, (0, 0, 1))
    drawn = [another_place(subject(memorizing_model), memory, memories, rng) for rng in rngs]
    masks = [marked(memorizing_model, place) for place in (memory.place.movable, *drawn)]
    own, place, same, other = (torch.cat([mask.flatten() for mask in each.values()]) for each in masks)
    assert place.sum() == own.sum() and not (place * own).any()
    assert torch.equal(place, same) and not torch.equal(place, other)
