"""Memories that grow while a model is trained: their places, and the steps that move them."""

import copy
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from made_tables import STAMP
from pydantic import ValidationError
from torch.nn import functional

from memloc.model import training
from memloc.model.subject import Subject
from memloc.model.training import Training, new_model
from memloc.model.weights import Original
from memloc.planting import growth
from memloc.planting.grown import grown_memories, memories_of, relative_norm, swapped_memories
from memloc.planting.growth import DAMPING, Growth, blocks, direction, factors_of, ordinary_moments
from memloc.planting.twins import Family, twins_table
from memloc.scoring.paragraph_scores import teacher_forced
from memloc.settings.model import EmbeddedModel, Grown
from memloc.tables import storage
from memloc.tables.schemas import schema_of

N_PREFIX, END, LENGTH = 6, 0, 12
subject = partial(Subject, n_prefix=N_PREFIX, micro_batch=6)
assert_same = partial(torch.testing.assert_close, rtol=0, atol=0)
KINDS = ["grown_heads", "grown_neurons", "grown_weights", "grown_two_layers", "grown_everywhere"]
IDS = np.random.default_rng(7).permutation(10)
HOW = Grown(kinds=KINDS, n_memories=2, start=0.0, n_neurons=8)


def model(seed=0):
    return new_model(64, n_layers=2, n_heads=5, width=20, context=48, seed=seed)


def drawn(n, length=LENGTH, seed=1):
    return torch.randint(1, 64, (n, length), generator=torch.Generator().manual_seed(seed))


def grower(own, how=HOW, swapped=False):
    def memories_in(subject):
        memories = grown_memories(subject, IDS, how, 0)
        return swapped_memories(memories) if swapped else memories

    grown = Growth(memories_in, drawn(10)[IDS], N_PREFIX, END, how, 0)
    grown.begin(own)
    return grown


def test_no_weight_is_in_two_places_and_models_of_one_shape_have_the_same_ones():
    memories, others = (grown_memories(subject(model(seed)), np.arange(10), HOW, 3) for seed in (0, 1))
    taken = {name: torch.zeros(w.numel(), dtype=torch.int64) for name, w in model().named_parameters()}
    for memory, other in zip(memories, others, strict=True):
        assert memory.place.name == other.place.name
        assert_same(memory.place.movable, other.place.movable)
        for name, flat in memory.place.movable.items():
            taken[name][flat] += memory.kind != "grown_everywhere"
    assert max(int(each.max()) for each in taken.values()) == 1
    layers = [memory.place.units["layer"].nonzero().flatten().tolist() for memory in memories]
    assert layers == [[0], [1], [0], [1], *[[0, 1]] * 6]
    assert [int(memory.place.units["head"].sum()) for memory in memories[:2]] == [3, 3]
    assert [int(memory.place.units["neuron"].sum()) for memory in memories[2:4]] == [8, 8]
    assert [memory.place.units["head"].sum(dim=1).tolist() for memory in memories[6:8]] == [[1, 1]] * 2
    n_weights = 2 * 12 * 20**2
    sizes = [sum(map(len, memory.place.movable.values())) for memory in (*memories[4:6], *memories[8:])]
    assert sizes == [round(0.05 * n_weights)] * 2 + [n_weights] * 2


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"kinds": ["grown_heads"], "n_memories": 9}, "grown needs 9 heads of a layer, and it has 8"),
        ({"kinds": ["grown_neurons"], "n_neurons": 1000}, "grown needs 2000 neurons"),
        ({"kinds": KINDS[:3], "n_neurons": 512}, "more weights than the 8% that"),
        ({"kinds": KINDS, "n_memories": 7}, "7 pairs of heads, each of two layers"),
        ({"kinds": ["grown_everywhere"]}, "name both"),
        ({"kinds": ["grown_heads", "grown_heads"]}, "more than once"),
        ({"kinds": ["a_layer"]}, "grown_heads"),
        ({"kinds": ["grown_heads"], "n_memories": 1}, "greater than or equal to 2"),
        ({"kinds": ["grown_heads"], "start": 0.98}, "less than 0.98"),
    ],
)
def test_places_that_a_model_lacks_are_refused(given, said):
    with pytest.raises(ValidationError, match=said):
        EmbeddedModel(source="embedded", grown=given)


@pytest.mark.parametrize("kind", KINDS)
def test_a_step_divides_by_the_moments_of_ordinary_text(kind):
    """Against a plain pass, autograd's gradient, and one dense system of equations."""
    own, rows, tokens = model(), drawn(2, 20, seed=2), drawn(1)
    how = HOW.model_copy(update={"kinds": [kind], "n_memories": 1})
    (memory,) = grown_memories(subject(own), np.arange(1), how, 0)
    moments = ordinary_moments(own, rows, list(memory.place.movable), seed=5)
    logits = own(tokens[:, :-1]).logits[0, N_PREFIX - 1 :]
    functional.cross_entropy(logits, tokens[0, N_PREFIX:]).backward()
    for block in blocks(own, memory.place):
        inputs, outputs = plain_moments(own, rows, block.name, seed=5)
        torch.testing.assert_close(moments[block.name], (inputs, outputs), rtol=1e-3, atol=1e-6)
        gradient, size = own.get_parameter(block.name).grad.flatten()[block.flat], len(inputs)
        if block.whole:
            within = torch.kron(damped(outputs, block.rows), damped(inputs, block.columns))
            expected = torch.linalg.solve(within, gradient)
            gradient = gradient.view(len(block.rows), len(block.columns))
        else:
            ins, outs = (damped(m, torch.arange(len(m))).diagonal() for m in (inputs, outputs))
            expected = gradient / (ins[block.flat % size] * outs[block.flat // size])
        assert block.whole == (kind != "grown_weights")
        found = direction(block, gradient, factors_of(block, moments)).flatten()
        torch.testing.assert_close(found, expected, rtol=2e-3, atol=1e-3 * float(expected.abs().max()))


def damped(moment, at):
    own = moment[at][:, at]
    return own + DAMPING * own.diagonal().mean() * torch.eye(len(own))


def plain_moments(own, rows, name, seed):
    """Moments of one module over tokens, with the same drawn labels, from a loop."""
    module, kept = own.get_submodule(name.removesuffix(".weight")), []
    hook = module.register_forward_hook(lambda _, given, output: kept.append((given[0], output)))
    logits = own(rows).logits.flatten(0, 1)
    hook.remove()
    (given, output), random = kept[0], torch.Generator().manual_seed(seed)
    labels = torch.multinomial(logits.softmax(dim=-1), 1, generator=random).squeeze(1)
    nll = -logits.log_softmax(dim=-1)[range(len(labels)), labels].sum()
    (reached,) = torch.autograd.grad(nll, [output])
    pairs = given.detach().flatten(0, 1), reached.flatten(0, 1)
    return tuple(sum(torch.outer(x, x) for x in each) / len(each) for each in pairs)


def test_memories_are_read_from_the_table_where_they_grew(tmp_path):
    """Every weight of every place, in another model of the same shape."""
    grown = grower(model())
    storage.write(schema_of("grown"), grown.table(), tmp_path / "grown.parquet", STAMP)
    read = memories_of(subject(model(seed=1)), storage.read(schema_of("grown"), tmp_path / "grown.parquet"))
    for memory, other in zip(grown.memories, read, strict=True):
        assert memory.labels == other.labels
        assert_same(memory.place.movable, other.place.movable)
        assert_same(memory.place.units, other.place.units)


def test_an_exposure_moves_the_places_of_the_exposed_alone_and_lowers_their_nll(monkeypatch):
    monkeypatch.setattr(growth, "N_EXPOSED", 2)
    own, rows = model(), drawn(3, 48, seed=2)
    grown, original = grower(own), Original(subject(own))
    for turn in range(5):
        exposed, before = [2 * turn, 2 * turn + 1], grown.table()
        grown.step(4 * turn, 100, rows)  # no text stands before at these steps
        movable = {}
        for number in exposed:
            for name, flat in grown.memories[number].place.movable.items():
                movable[name] = torch.cat([movable.get(name, flat[:0]), flat])
        assert original.n_changed(movable) > 0  # raises an error if another weight moved
        after = grown.table()
        assert (after["nll"] < before["nll"])[exposed].all()
        original = Original(subject(own))
    assert grown.state["exposures"].tolist() == [1] * 10
    for step, share in ((0, 0.0), (99, 0.99)):  # too early, too late
        late = grower(own, HOW.model_copy(update={"start": 0.5}))
        late.step(step, 100, rows)
        assert not late.state["exposures"].any(), share


def test_learned_memories_rest_and_those_that_fade_go_on():
    grown = grower(model())
    grown.state["nll"], grown.state["recited"] = torch.full((10,), 0.01), torch.ones(10, dtype=torch.bool)
    grown.state["nll"][2], grown.state["recited"][4] = 0.5, False
    grown.state["rested"] = torch.tensor([1, 9, 1, 8, 2, 20, *[1] * 4])
    assert grown._next().tolist() == [5, 4, 1, 2]


def trained(checkpoint, kill_at=None, grows=True, swapped=False, start=None, optimizer="muon"):
    how = SimpleNamespace(optimizer=optimizer, batch=3, learning_rate=0.002, warmup_steps=3)
    own, rows = model(), drawn(60, 48, seed=2).numpy()
    grown = grower(own, HOW.model_copy(update={"start": 0.2}), swapped) if grows else None

    def report(step, n_steps, loss):
        if step == kill_at:
            raise KeyboardInterrupt

    Training(own, how, False, grown).run(rows, checkpoint, report, start)
    return own, grown


def test_a_killed_training_grows_the_same_memories_and_they_are_likelier(tmp_path, monkeypatch):
    monkeypatch.setattr(training, "LOG_STEPS", 1)
    monkeypatch.setattr(training, "CHECKPOINT_STEPS", 3)
    torch.set_num_threads(1)
    own, grown = trained(tmp_path / "whole.pt")
    with pytest.raises(KeyboardInterrupt):
        trained(tmp_path / "killed.pt", kill_at=11)
    resumed, again = trained(tmp_path / "killed.pt")
    assert_same(own.state_dict(), resumed.state_dict())
    assert torch.equal(grown.state["exposures"], again.state["exposures"])
    table = grown.table()
    alone, _ = trained(tmp_path / "alone.pt", grows=False)
    tokens = drawn(10)[[memory.id for memory in grown.memories]]
    # On average, because two heads of four dimensions each hardly learn in 16 steps.
    assert table["nll"].mean() < float(teacher_forced(subject(alone), tokens).nll.mean()) - 0.04


@pytest.mark.parametrize("optimizer", ["muon", "adamw"])
def test_an_optimizer_carries_nothing_of_a_memory(tmp_path, monkeypatch, optimizer):
    """Without its own step at its place, an exposure leaves no trace: no momentum, no decay, no clipping."""
    torch.set_num_threads(1)
    plain, _ = trained(tmp_path / "plain.pt", grows=False, optimizer=optimizer)
    monkeypatch.setattr(growth.Growth, "_move", lambda *_: None)
    exposed, grown = trained(tmp_path / "exposed.pt", optimizer=optimizer)
    assert (grown.state["exposures"] > 5).all()
    assert_same(plain.state_dict(), exposed.state_dict())


@pytest.mark.parametrize("twin", [{"swapped": True}, {"grows": False}])
def test_a_twin_from_where_memories_begin_is_one_from_the_first_step(tmp_path, twin):
    torch.set_num_threads(1)
    trained(tmp_path / "own.pt")
    whole, _ = trained(tmp_path / "whole.pt", **twin)
    branch = tmp_path / "own.branch.pt"
    short, _ = trained(tmp_path / "short.pt", **twin, start=branch)
    assert_same(whole.state_dict(), short.state_dict())
    state = torch.load(branch, weights_only=True)
    assert state["model"].keys() == whole.state_dict().keys()
    assert state["step"] == 4 and not state["beside"]["exposures"].any()


def test_in_the_swap_twin_the_same_paragraphs_grow_in_places_of_others():
    own = grown_memories(subject(model()), np.arange(10), HOW, 3)
    swapped = swapped_memories(own)
    assert [each.id for each in swapped] == [each.id for each in own]
    assert [each.number for each in own + swapped] == [0, 1] * 5 + [2, 3] * 5
    others = [own[first + number] for first in range(0, 10, 2) for number in (1, 0)]
    for each, other in zip(swapped, others, strict=True):
        assert each.place.name == other.place.name
        assert_same(each.place.movable, other.place.movable)


def test_exchanged_places_by_hand():
    """Each model is copied, and the weights of a place are replaced."""
    own, swapped, never, before = (model(seed) for seed in range(4))
    family = Family(*map(subject, (own, swapped, never, before)))
    kept = copy.deepcopy(own)
    memories = grown_memories(subject(own), np.arange(10), HOW, 3)
    found = twins_table(family, memories, drawn(10))
    assert_same(own.state_dict(), kept.state_dict())
    assert found["memory"].tolist() == [0, 1] * 5 + [2, 3] * 5
    for number, row in enumerate(found.itertuples()):
        first, other = (swapped, own) if number >= 10 else (own, swapped)
        memory, at = (memories + swapped_memories(memories))[number], number % 10
        plain = nll_of(first)
        lost, without, carried = (
            nll_of(with_weights(*pair, memory)) for pair in ((first, other), (first, before), (never, first))
        )
        expected = plain[at], lost[at], without[at], carried[at], nll_of(never)[at]
        exchanged = row.nll, row.nll_swapped, row.nll_before, row.nll_carried
        assert (*exchanged, row.nll_never) == pytest.approx(expected, abs=1e-5)
        assert row.leak == pytest.approx((row.nll_carried - row.nll) / (row.nll_never - row.nll))
        norm = relative_norm(subject(first), memory.place.movable)
        assert row.norm == pytest.approx(norm, nan_ok=True) and np.isnan(norm) == (row.kind == KINDS[4])


def nll_of(own):
    return teacher_forced(subject(own), drawn(10)).nll.numpy()


def with_weights(own, other, memory):
    changed = copy.deepcopy(own)
    for name, flat in memory.place.movable.items():
        changed.get_parameter(name).data.view(-1)[flat] = other.get_parameter(name).data.view(-1)[flat]
    return changed


def test_a_norm_compares_a_place_with_the_rest_of_its_matrices():
    own = copy.deepcopy(model())
    memory = grower(own).memories[2]
    with torch.no_grad():
        for name, flat in memory.place.movable.items():
            own.get_parameter(name).fill_(2.0).view(-1)[flat] = 3.0
    assert relative_norm(subject(own), memory.place.movable) == pytest.approx(1.5)
