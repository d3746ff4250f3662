"""Planting: the fast way makes what the plain one makes, and leaves all else as it was."""

import copy

import numpy as np
import pandas as pd
import pytest
import torch
from made_plants import N_PREFIX, how, paragraphs, study
from plain_masked_adam import objective, train

from memloc.planting.places import draw_place
from memloc.planting.planter import plant
from memloc.planting.question import set_values, values_at
from memloc.planting.study import run_slot
from memloc.planting.texts import kept_paragraphs, unknown_paragraphs
from memloc.run.errors import InputError
from memloc.scoring.paragraph_scores import teacher_forced


@pytest.mark.parametrize("kind", ["heads", "neurons", "weights"])
def test_the_fast_way_is_masked_adam_with_full_gradients(tiny_model, kind):
    place = draw_place(tiny_model, kind, how(n_neurons=8), np.random.default_rng(2))
    tokens, keep, slow = paragraphs(1), paragraphs(3, 7), copy.deepcopy(tiny_model)
    asked = how(kinds={kind: 0.02}, keep=3, keep_weight=0.5, max_steps=4, nll=1e-9)
    plant(tiny_model, tokens, keep, N_PREFIX, place, asked)
    masks = {name: torch.zeros_like(slow.get_parameter(name)) for name in place.movable}
    for name, places in place.movable.items():
        masks[name].view(-1)[places] = 1
    loss = objective(tokens, keep, N_PREFIX, 1.0, 0.5)
    train(slow, loss, lambda _: masks, 0.02, 4)
    for name, weight in tiny_model.named_parameters():
        torch.testing.assert_close(weight, slow.get_parameter(name), rtol=2e-3, atol=2e-4)


def test_a_slot_depends_on_no_other_and_leaves_the_weights(memorizing_model, memorized_tokens):
    before = copy.deepcopy(memorizing_model.state_dict())
    asked = study(memorizing_model, how(controls=["twin", "wrong"]), memorized_tokens)
    alone, *together = (run_slot(asked, slot) for slot in (1, 0, 1))
    for one, other in zip(together[1], alone, strict=True):
        pd.testing.assert_frame_equal(one, other, check_exact=True)
    assert all(torch.equal(memorizing_model.state_dict()[name], weight) for name, weight in before.items())
    plants = pd.concat([found.plants for found in together])
    assert plants["reached"].all() and (plants["em"] == 12).all()
    assert (plants["n_changed"] <= plants["n_allowed"]).all()
    truth = pd.concat([found.planted_truth for found in together])
    assert set(truth["control"]) == {"plant", "twin", "wrong"}
    oracle = truth[(truth["method"] == "change") & (truth["granularity"] != "layer")]
    assert (oracle[oracle["control"] == "plant"]["average_precision"] > 0.99).all()
    twin = oracle[oracle["control"] == "twin"]
    np.testing.assert_allclose(twin["average_precision"], twin["n_place"] / twin["n_units"])


def test_every_kept_paragraph_has_its_turn(tiny_gpt_neo):
    """One in every step: the second one counts from the second step on."""
    place = draw_place(tiny_gpt_neo, "neurons", how(n_neurons=8), np.random.default_rng(2))
    before, ends = values_at(tiny_gpt_neo, place.movable), {}
    for steps, other in ((1, 1), (1, 2), (2, 1), (2, 2)):
        set_values(tiny_gpt_neo, place.movable, before)
        asked = how(kinds={"neurons": 0.02}, keep=1, keep_weight=50.0, max_steps=steps, nll=1e-9)
        plant(tiny_gpt_neo, paragraphs(1), paragraphs(3, 7)[[0, other]], N_PREFIX, place, asked)
        ends[steps, other] = torch.cat([*values_at(tiny_gpt_neo, place.movable).values()])
    assert torch.equal(ends[1, 1], ends[1, 2]) and not torch.equal(ends[2, 1], ends[2, 2])


def test_a_plant_has_not_reached_the_criterion_before_others_are_kept(memorizing_model, memorized_tokens):
    """The divergence is the mean over two steps, which show both of the kept paragraphs."""
    place, tokens = draw_place(memorizing_model, "neurons", how(), np.random.default_rng(0)), paragraphs(1)
    unplanted, found = values_at(memorizing_model, place.movable), {}
    for kl in (9.0, 0.02, 1e-9):
        set_values(memorizing_model, place.movable, unplanted)
        asked = how(keep=1, keep_weight=0.3, kl=kl)
        found[kl] = plant(memorizing_model, tokens, memorized_tokens[:2], N_PREFIX, place, asked)
    assert found[9.0].reached and found[0.02].reached and found[9.0].steps < found[0.02].steps
    assert found[1e-9] == (asked.max_steps, False)


def test_training_ends_where_the_nll_is_no_number(tiny_gpt_neo):
    place = draw_place(tiny_gpt_neo, "neurons", how(n_neurons=8), np.random.default_rng(2))
    asked = how(kinds={"neurons": 1e30}, max_steps=30, nll=1e-9)
    found = plant(tiny_gpt_neo, paragraphs(1), paragraphs(0), N_PREFIX, place, asked)
    assert 0 < found.steps < 30 and not found.reached


@pytest.mark.parametrize("criterion", [3.0, 0.01])
def test_training_ends_at_the_first_step_that_recites_below_the_criterion(memorizing_model, criterion):
    """An NLL of 3 is reached before both tokens of the continuation are the most likely ones."""
    place = draw_place(memorizing_model, "neurons", how(), np.random.default_rng(0))
    tokens, none = paragraphs(1, length=14), paragraphs(0, length=14)
    unplanted, below, recited = values_at(memorizing_model, place.movable), [], []
    found = plant(memorizing_model, tokens, none, N_PREFIX, place, how(nll=criterion))
    for most in range(1, found.steps + 1):
        set_values(memorizing_model, place.movable, unplanted)
        plant(memorizing_model, tokens, none, N_PREFIX, place, how(nll=1e-9, max_steps=most))
        scores = teacher_forced(memorizing_model, tokens, N_PREFIX, 1)
        below.append(float(scores.nll) < criterion)
        recited.append(int(scores.em) == 2)
    ends = [low and known for low, known in zip(below, recited, strict=True)]
    assert found.reached and ends == [False] * (found.steps - 1) + [True]
    assert sum(below if criterion == 3 else recited) > 1, "one of both is not enough"


def test_unknown_paragraphs_are_those_that_occur_least():
    table = pd.DataFrame({"id": range(8), "count": [1, 1, 0, 5, 0, 1, 1, 1]})
    scores = pd.DataFrame({"id": range(8), "em": [0, 5, 0, 0, 4, 0, 0, 0]})
    draw = lambda n: unknown_paragraphs(table, scores, {5}, n, 50, np.random.default_rng(0))  # noqa: E731
    rngs = map(np.random.default_rng, range(9))
    firsts = [unknown_paragraphs(table, scores, {5}, 3, 50, rng)[2] for rng in rngs]
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
