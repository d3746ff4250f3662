"""Planting: the fast way makes what the plain one makes, and leaves all else as it was."""

import copy

import numpy as np
import pandas as pd
import pytest
import torch
from made_plants import N_PREFIX, how, paragraphs, study

from memloc.planting.curves import KEPT, Plant, curves, n_needed
from memloc.planting.places import draw_place
from memloc.planting.planter import plant
from memloc.planting.study import run_slot, slots
from memloc.planting.texts import kept_paragraphs, unknown_paragraphs
from memloc.planting.units import set_values, values_at
from memloc.run.errors import InputError
from memloc.scoring.paragraph_scores import teacher_forced
from memloc.straightforward.masked_adam import train


@pytest.mark.parametrize("kind", ["head_vo", "head_all", "two_heads", "neurons", "inj_1", "scattered_1"])
def test_the_fast_way_is_masked_adam_with_full_gradients(tiny_model, kind):
    place = draw_place(tiny_model, kind, 8, np.random.default_rng(2))
    tokens, keep, slow = paragraphs(1), paragraphs(3, 7), copy.deepcopy(tiny_model)
    asked = how(kinds={kind: 0.02}, keep=3, keep_weight=0.5, keep_weight_heads=0.9, max_steps=4)
    plant(tiny_model, tokens, keep, N_PREFIX, place, [1e-9], asked)
    masks = {name: torch.zeros_like(slow.get_parameter(name)) for name in place.movable}
    for name, places in place.movable.items():
        masks[name].view(-1)[places] = 1
    weights = 1.0, 0.9 if place.own == "head" else 0.5
    train(slow, tokens, keep, N_PREFIX, lambda _: masks, 0.02, 4, *weights)
    for name, weight in tiny_model.named_parameters():
        torch.testing.assert_close(weight, slow.get_parameter(name), rtol=2e-3, atol=2e-4)


def test_levels_are_kept_on_the_way_and_the_last_one_ends_it(memorizing_model):
    place = draw_place(memorizing_model, "neurons", 24, np.random.default_rng(0))
    found = plant(memorizing_model, paragraphs(1), paragraphs(0), N_PREFIX, place, [2.0, 0.3], how())
    assert list(found.levels) == [2.0, 0.3] and 0 < found.steps < 150
    for name, values in values_at(memorizing_model, place.movable).items():
        assert torch.equal(values, found.levels[0.3][name])
        assert not torch.equal(values, found.levels[2.0][name])


def test_a_slot_depends_on_no_other_and_leaves_the_weights(memorizing_model, memorized_tokens):
    before = copy.deepcopy(memorizing_model.state_dict())
    asked = study(memorizing_model, how(controls=["twin", "wrong"]), memorized_tokens)
    together = [found for _, found in slots(asked, range(2))]
    alone = [run_slot(asked, slot) for slot in (1, 0)][::-1]
    for one, other in zip(together, alone, strict=True):
        for name in ("plants", "planted_truth", "planted_curves"):
            pd.testing.assert_frame_equal(getattr(one, name), getattr(other, name), check_exact=True)
    assert all(torch.equal(memorizing_model.state_dict()[name], weight) for name, weight in before.items())
    plants = pd.concat([found.plants for found in together])
    assert plants["reached"].all() and (plants["em"] == 12).all()
    assert (plants["n_changed"] <= plants["n_allowed"]).all() and (
        plants["n_needed"] <= plants["n_allowed"]
    ).all()
    truth = pd.concat([found.planted_truth for found in together])
    assert set(truth["control"]) == {"plant", "twin", "wrong"}
    oracle = truth[(truth["method"] == "change") & (truth["granularity"] != "layer")]
    assert (oracle[oracle["control"] == "plant"]["average_precision"] > 0.99).all()
    twin = oracle[oracle["control"] == "twin"]
    np.testing.assert_allclose(twin["average_precision"], twin["n_place"] / twin["n_units"])


@pytest.fixture
def mixture(memorizing_model):
    """A paragraph that is planted in some neurons, and the weights before."""
    place = draw_place(memorizing_model, "neurons", 24, np.random.default_rng(0))
    before, tokens = values_at(memorizing_model, place.movable), paragraphs(1)
    found = plant(memorizing_model, tokens, paragraphs(0), N_PREFIX, place, [0.3], how())
    return Plant.of(memorizing_model, tokens, N_PREFIX, place, before, found.levels[0.3])


def test_curves_of_the_oracle_keep_all_and_of_its_opposite_nothing(memorizing_model, mixture):
    place, before, after = mixture.place, mixture.before, mixture.after
    known = place.units["neuron"].float()
    best, worst = curves(mixture, known), curves(mixture, -known)
    assert best["share"].tolist() == worst["share"].tolist()
    enough = best["share"] >= 0.5
    np.testing.assert_allclose(best.loc[enough, ["kept", "left"]], [[1, 0]] * enough.sum(), atol=1e-5)
    np.testing.assert_allclose(worst.loc[worst["share"] < 0.5, ["kept", "left"]], [[0, 1]] * 8, atol=1e-5)
    changes = {name: (after[name] - own).abs() for name, own in before.items()}
    ordered, recited = torch.cat([*changes.values()]).sort(descending=True).values, []
    for n in (len(ordered), *(round(share * len(ordered)) for share in KEPT)):
        found = mixture.with_weights({name: own >= ordered[n - 1] for name, own in changes.items()})[1]
        recited.append((n, found))
    failed = next(i for i, (_, found) in enumerate(recited) if not found)
    assert n_needed(mixture) == recited[failed - 1][0]
    values = values_at(memorizing_model, place.movable)
    assert all(torch.equal(values[name], after[name]) for name in values)


def test_the_smallest_shares_take_the_first_unit(mixture):
    """Of 256 units, three shares are less than one."""
    known = mixture.place.units["neuron"]
    scores = known + torch.rand(known.shape, generator=torch.Generator().manual_seed(0)) / 2
    found = curves(mixture, scores)
    first = found[["kept", "left"]].to_numpy()[(found["share"] * scores.numel() < 1).to_numpy()]
    assert len(first) > 1 and (first == first[0]).all() and first[0, 0] != 0 and first[0, 1] != 1


@pytest.mark.parametrize("kind", ["head_vo", "scattered_1"])
def test_curves_of_heads_and_of_single_weights_find_the_place_among_all_units(memorizing_model, kind):
    """Named first, its units bring the whole plant; named last, all others bring nothing of it."""
    place = draw_place(memorizing_model, kind, 24, np.random.default_rng(0))
    before, tokens = values_at(memorizing_model, place.movable), paragraphs(1)
    planted = plant(memorizing_model, tokens, paragraphs(0), N_PREFIX, place, [0.5], how()).levels[0.5]
    mixture = Plant.of(memorizing_model, tokens, N_PREFIX, place, before, planted)
    known = place.units[place.own].float()
    for scores, expected in ((known, [1, 0]), (-known, [0, 1])):
        shares = curves(mixture, scores).set_index("share")
        np.testing.assert_allclose(shares.loc[0.2, ["kept", "left"]], expected, atol=1e-5)
        np.testing.assert_allclose(shares.loc[1.0, ["kept", "left"]], [1, 0], atol=1e-5)


def test_every_kept_paragraph_has_its_turn(tiny_gpt_neo):
    """One in every step: the second one counts from the second step on."""
    place = draw_place(tiny_gpt_neo, "neurons", 8, np.random.default_rng(2))
    before, ends = values_at(tiny_gpt_neo, place.movable), {}
    for steps, other in ((1, 1), (1, 2), (2, 1), (2, 2)):
        set_values(tiny_gpt_neo, place.movable, before)
        asked = how(kinds={"neurons": 0.02}, keep=1, keep_weight=50.0, max_steps=steps)
        plant(tiny_gpt_neo, paragraphs(1), paragraphs(3, 7)[[0, other]], N_PREFIX, place, [1e-9], asked)
        ends[steps, other] = torch.cat([*values_at(tiny_gpt_neo, place.movable).values()])
    assert torch.equal(ends[1, 1], ends[1, 2]) and not torch.equal(ends[2, 1], ends[2, 2])


def test_training_ends_where_the_nll_is_no_number(tiny_gpt_neo):
    place = draw_place(tiny_gpt_neo, "neurons", 8, np.random.default_rng(2))
    asked = how(kinds={"neurons": 1e30}, max_steps=30)
    found = plant(tiny_gpt_neo, paragraphs(1), paragraphs(0), N_PREFIX, place, [1e-9], asked)
    assert 0 < found.steps < 30 and not found.levels


def test_what_one_half_brings_alone_is_what_reverting_the_other_leaves(mixture):
    """Both halves have as many weights, and are two parts all the same."""
    known = mixture.place.units["neuron"].bool()
    scores = torch.rand(known.shape, generator=torch.Generator().manual_seed(1)) - 1
    for units in (known, ~known):  # half of either kind come first
        rows, columns = units.nonzero().unbind(1)
        assert len(rows) % 2 == 0
        scores[rows[::2], columns[::2]] += 1
    first, last = (curves(mixture, sign * scores).set_index("share").loc[0.5] for sign in (1, -1))
    assert abs(first["kept"] - last["kept"]) > 0.01
    assert (first["kept"], first["left"]) == pytest.approx((last["left"], last["kept"]))


def test_unknown_paragraphs_are_those_that_occur_least():
    table = pd.DataFrame({"id": range(8), "count": [1, 1, 0, 5, 0, 1, 1, 1]})
    scores = pd.DataFrame({"id": range(8), "em": [0, 5, 0, 0, 4, 0, 0, 0]})
    draw = lambda n: unknown_paragraphs(table, scores, {5}, n, 50, np.random.default_rng(0))  # noqa: E731
    firsts = [
        unknown_paragraphs(table, scores, {5}, 3, 50, np.random.default_rng(seed))[2] for seed in range(9)
    ]
    assert len(set(firsts)) > 1, "those that occur as often are drawn at random"
    assert set(draw(2)) == {2, 4} and set(draw(5)) == {0, 2, 4, 6, 7} and draw(6)[-1] == 3
    with pytest.raises(InputError, match="needs 7 paragraphs that the model does not know, but there are 6"):
        draw(7)


def test_kept_paragraphs_are_of_both_sets_and_none_that_judge():
    sets = pd.DataFrame({"id": range(20), "set": ["memorized", "non_memorized"] * 10})
    sets[["sampled", "sampled_rare_tokens"]] = False
    sets.loc[sets["id"] < 6, "sampled"] = True
    kept = kept_paragraphs(sets, {0, 1}, 6, np.random.default_rng(0))
    assert len(kept) == 6 and {2, 3, 4, 5} <= set(kept) and not {0, 1} & set(kept)
    assert sorted(kept % 2) == [0, 0, 0, 1, 1, 1]
    assert len(kept_paragraphs(sets, {0, 1}, 5, np.random.default_rng(0))) == 6
    few = kept_paragraphs(sets, set(range(2, 20, 2)), 8, np.random.default_rng(0))
    assert sorted(few % 2) == [0, 1, 1, 1, 1], "one memorized paragraph is left"


def test_masks_are_trained_at_the_criterion_alone(memorizing_model, memorized_tokens):
    asked = how(kinds={"head_vo": 0.02}, levels=[2.0], controls=[], curves=False, masks=True)
    found = run_slot(study(memorizing_model, asked, memorized_tokens), 0)
    truth = found.planted_truth
    assert found.planted_curves.empty and {2.0, 0.5} == set(truth["level"])
    for level, own in truth.groupby("level"):
        assert ({"slimming", "hard_concrete"} <= set(own["method"])) == (level == 0.5)
        assert "zero_ablation" in set(own["method"])


def test_a_level_above_the_criterion_needs_no_recitation_and_the_criterion_does(memorizing_model):
    """Of a continuation of two tokens: at an NLL of 3 both are rarely the most likely ones."""
    place = draw_place(memorizing_model, "neurons", 24, np.random.default_rng(0))
    tokens, none, scores = paragraphs(1, length=14), paragraphs(0, length=14), {}
    found = plant(memorizing_model, tokens, none, N_PREFIX, place, [3.5, 3.0], how(nll=3.0))
    for level, values in found.levels.items():
        set_values(memorizing_model, place.movable, values)
        scores[level] = teacher_forced(memorizing_model, tokens, N_PREFIX, 1)
    assert float(scores[3.5].nll) < 3.5 and int(scores[3.0].em) == 2 and float(scores[3.0].nll) < 3.0
