"""Memories that grow: their updates touch their place alone, and a killed training goes on the same."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from made_plants import paragraphs
from torch.nn import functional

from memloc.data.grown import grown_ids
from memloc.editing.masks import OriginalWeights
from memloc.model import training
from memloc.model.components import components
from memloc.model.training import new_model
from memloc.planting import growth
from memloc.planting.grown import grown_plants, relative_norm, stored_place
from memloc.planting.growth import Growth, blocks, direction, grown_memories, place_gradients
from memloc.run.errors import InputError
from memloc.settings.model import Grown

KINDS = {"grown_head": 0.02, "grown_neurons": 0.02, "grown_weights": 0.02}
HOW = Grown(kinds=KINDS, n_memories=2, start=0.25, n_neurons=4)
N_PREFIX, LENGTH, END = 4, 10, 0


class Killed(BaseException):
    """Stands in for a signal: nothing of the library may catch it."""


@pytest.fixture
def model():
    torch.set_num_threads(1)
    return new_model(vocabulary=40, n_layers=2, n_heads=4, width=16, context=64, seed=0).eval()


@pytest.fixture
def rows():
    return np.random.default_rng(0).integers(1, 40, (60, 64))


@pytest.fixture
def tokens():
    return torch.from_numpy(np.random.default_rng(1).integers(1, 40, (6, LENGTH)))


def grow(model, tokens, how=HOW):
    ids = np.arange(100, 100 + len(tokens))
    return Growth(model, grown_memories(model, ids, how, 0), tokens, N_PREFIX, END, how, 0)


def trained(model, rows, beside, checkpoint, kill_at=None, **options):
    def report(step, n_steps, loss):
        if step == kill_at:
            raise Killed

    how = {"optimizer": "muon", "batch": 3, "learning_rate": 0.01, "warmup_steps": 3, **options}
    training.train(model, rows, SimpleNamespace(**how), False, checkpoint, report, beside)
    return {name: weight.detach().clone() for name, weight in model.named_parameters()}


def test_gradients_of_a_row_are_those_of_the_row_alone(model, rows, tokens):
    memories = grown_memories(model, np.arange(6), HOW, 0)
    text = torch.cat([torch.from_numpy(rows[:6, :5]), tokens], dim=1)
    losses, found = place_gradients(model, text, 5, [set(memory.place.movable) for memory in memories])
    for row, memory in enumerate(memories):
        model.zero_grad()
        logits = model(text[row : row + 1]).logits[0, 4:-1]
        nll = functional.cross_entropy(logits, tokens[row])
        nll.backward()
        assert losses[row].mean().item() == pytest.approx(nll.item(), rel=1e-5)
        assert set(found[row]) == set(memory.place.movable)
        for name, gradient in found[row].items():
            torch.testing.assert_close(gradient, model.get_parameter(name).grad, rtol=1e-4, atol=1e-7)


def test_no_weight_is_in_two_places_and_kinds_are_as_many_as_asked_for(model):
    memories = grown_memories(model, np.arange(6), HOW, 0)
    assert [memory.kind for memory in memories] == [*KINDS] * 2
    taken = {name: torch.zeros(weight.numel()) for name, weight in model.named_parameters()}
    for memory in memories:
        for name, places in memory.place.movable.items():
            taken[name][places] += 1
    assert max(marks.max() for marks in taken.values()) == 1


def test_a_model_without_room_is_an_error(model):
    crowded = HOW.model_copy(update={"kinds": {"grown_head": 0.01}, "n_memories": 9})
    with pytest.raises(InputError, match="no place of kind grown_head is left"):
        grown_memories(model, np.arange(9), crowded, 0)


def test_blocks_are_the_matrices_of_the_place(model):
    for memory in grown_memories(model, np.arange(6), HOW, 0):
        found = {}
        for name, places in blocks(model, memory.place):
            found.setdefault(name, []).append(places.flatten())
        assert {name: torch.cat(own).sort().values.tolist() for name, own in found.items()} == {
            name: places.tolist() for name, places in memory.place.movable.items()
        }
    head = grown_memories(model, np.arange(6), HOW, 0)[0]
    own = [component.name for component in components(model) if component.layer == head.place.layers[0]]
    assert len(blocks(model, head.place)) == len(
        [name for name in own if name in ("W_Q", "W_K", "W_V", "W_O")]
    )


@pytest.mark.parametrize("shape", [(4, 16), (16, 4), (50,)])
def test_steps_are_of_one_size(shape):
    gradient = 1e-4 * torch.randn(shape, generator=torch.Generator().manual_seed(0))
    found = direction(gradient)
    assert found.square().mean().sqrt() == pytest.approx(1, abs=0.3)
    assert (found * gradient).sum() > 0


@pytest.mark.parametrize("n_taken", [0, 1, 2])
def test_an_exposure_moves_its_place_and_no_other_weight(model, rows, tokens, n_taken):
    """Bit for bit: of a head, of neurons and of single weights. No ordinary optimiser has a part in it."""
    growing, batch = grow(model, tokens), torch.from_numpy(rows[:3])
    growing.state["exposures"][:n_taken] = growth.MOST_EXPOSURES  # these are given up
    training.language_model_loss(model, batch).backward()
    before = {name: weight.detach().clone() for name, weight in model.named_parameters()}
    growing.step(0.5, batch)
    moved = (growing.state["exposures"] == 1).nonzero().flatten().tolist()
    assert moved == [n_taken]
    allowed = {name: torch.zeros(weight.numel(), dtype=torch.bool) for name, weight in before.items()}
    for memory in growing.table().iloc[moved].itertuples():
        for name, places in stored_place(model, memory).movable.items():
            allowed[name][places] = True
    for name, weight in model.named_parameters():
        changed = (weight != before[name]).flatten()
        assert torch.equal(changed, changed & allowed[name]), name
        if allowed[name].any():
            assert changed.any(), name


def test_nothing_grows_before_its_time(model, rows, tokens):
    growing = grow(model, tokens)
    growing.step(0.2, torch.from_numpy(rows[:3]))
    growing.step(0.99, torch.from_numpy(rows[:3]))
    assert not growing.state["exposures"].any()


@pytest.mark.parametrize("kill_at", [4, 11])
def test_a_killed_training_grows_the_same(model, rows, tokens, tmp_path, monkeypatch, kill_at):
    monkeypatch.setattr(training, "CHECKPOINT_STEPS", 3)
    monkeypatch.setattr(training, "LOG_STEPS", 1)
    start = {name: weight.clone() for name, weight in model.state_dict().items()}
    whole = grow(model, tokens)
    expected = trained(model, rows, whole, tmp_path / "whole.pt")
    model.load_state_dict(start)
    with pytest.raises(Killed):
        trained(model, rows, grow(model, tokens), tmp_path / "killed.pt", kill_at)
    model.load_state_dict(start)
    resumed = grow(model, tokens)
    found = trained(model, rows, resumed, tmp_path / "killed.pt")
    assert all(torch.equal(found[name], expected[name]) for name in expected)
    assert all(torch.equal(resumed.state[name], whole.state[name]) for name in whole.state)


def test_memories_take_in_their_places(memorizing_model, monkeypatch):
    """One grows after the other, after text as well; with the weights of before, neither is recited."""
    for name, value in {"MOST_TEXT": 8, "MOST_EXPOSURES": 10**6, "ORDINARY": 0.0}.items():
        monkeypatch.setattr(growth, name, value)
    model, tokens = memorizing_model, paragraphs(2)
    how = Grown(kinds={"grown_neurons": 0.1}, n_memories=2, start=0.0, n_neurons=24)
    memories = grown_memories(model, np.arange(2), how, 0)
    growing, before = Growth(model, memories, tokens, 12, END, how, 0), OriginalWeights(model)
    for weight in model.parameters():
        weight.grad = torch.zeros_like(weight)
    for step in range(150):
        growing.step(step / 200, paragraphs(3, seed=9))
    table, series = growing.table(), pd.Series(tokens.tolist())
    assert table["taken"].all() and (table["exposures"] > 5).all()
    assert all(plant.row["reached"] for plant in grown_plants(model, table, series, 12, how.kinds))
    before.restore(model)
    assert not any(plant.row["reached"] for plant in grown_plants(model, table, series, 12, how.kinds))


def test_norm_is_relative_to_the_matrices_of_the_place(model):
    place = grown_memories(model, np.arange(6), HOW, 0)[1].place
    before = relative_norm(model, place)
    with torch.no_grad():
        for name, places in place.movable.items():
            model.get_parameter(name).view(-1)[places] *= 10
    assert relative_norm(model, place) > 3 * before


def test_paragraphs_are_drawn_from_the_unseen_ones():
    paragraphs = pd.DataFrame({"id": np.arange(40), "unseen": np.arange(40) >= 20})
    found = grown_ids(paragraphs, HOW, 0)
    assert len(set(found)) == 6 and found.min() >= 20
    assert not np.array_equal(found, grown_ids(paragraphs, HOW, 1))
