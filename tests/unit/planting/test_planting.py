"""Planting: the fast way makes what the plain one makes, and leaves all else as it was."""

import copy

import numpy as np
import pandas as pd
import pytest
import torch

from memloc.localization.weights import OriginalWeights
from memloc.model.components import editable_parameters
from memloc.planting import methods
from memloc.planting import study as planting_study
from memloc.planting.curves import Plant, curves, n_needed
from memloc.planting.methods import METHODS, Method, answers
from memloc.planting.places import draw_place
from memloc.planting.planter import plant
from memloc.planting.study import Study, run_slot, slots
from memloc.planting.texts import kept_paragraphs, unknown_paragraphs
from memloc.planting.units import set_values, values_at
from memloc.run.errors import InputError
from memloc.run.seeds import generator
from memloc.scoring.held_out import Group
from memloc.scoring.paragraph_scores import teacher_forced
from memloc.settings.planted_truth import PlantedTruth
from memloc.straightforward import planting as plain
from tiny_models import VOCABULARY

N_PREFIX = 12
KINDS = {"head_vo": 0.03, "neurons": 0.03, "scattered_1": 0.03}


def paragraphs(n, seed=5, length=24):
    return torch.randint(VOCABULARY, (n, length), generator=torch.Generator().manual_seed(seed))


def how(**changed):
    settings = {"kinds": KINDS, "n_plants": 2, "tries": 1, "n_neurons": 24, "max_steps": 150, "nll": 0.5}
    settings |= {"keep": 2, "keep_weight": 0.3, "keep_weight_heads": 0.05}
    settings |= {"n_judging": 3, "integration_steps": 2, "micro_batch": 4}
    return PlantedTruth(**settings | changed)


def study(model, asked, known):
    groups = zip(("memorized", "non_memorized", "held_out"), (0, 3, 6), strict=True)
    texts = {
        name: Group(np.arange(first, first + 3), known[first : first + 3], np.zeros(3, bool))
        for name, first in groups
    }
    heads = (model.config.num_hidden_layers, model.config.num_attention_heads)
    width = (
        getattr(model.config, "head_dim", None)
        or model.config.hidden_size // model.config.num_attention_heads
    )
    means, counts = torch.zeros(*heads, width), np.arange(VOCABULARY)
    unknown = paragraphs(asked.n_paragraphs)
    ids = np.arange(100, 100 + len(unknown))
    args = (unknown, known, texts, means, counts, N_PREFIX, asked, 0)
    return Study(model, OriginalWeights(model), ids, *args)


@pytest.mark.parametrize("kind", ["head_vo", "head_all", "two_heads", "neurons", "inj_1", "scattered_1"])
def test_the_fast_way_is_masked_adam_with_full_gradients(tiny_model, kind):
    place = draw_place(tiny_model, kind, 8, np.random.default_rng(2))
    tokens, keep, slow = paragraphs(1), paragraphs(3, 7), copy.deepcopy(tiny_model)
    asked = how(kinds={kind: 0.02}, keep=3, keep_weight=0.5, keep_weight_heads=0.5, max_steps=4)
    plant(tiny_model, tokens, keep, N_PREFIX, place, [1e-9], asked)
    masks = {name: torch.zeros_like(slow.get_parameter(name)) for name in place.movable}
    for name, places in place.movable.items():
        masks[name].view(-1)[places] = 1
    plain.plant(slow, tokens, keep, N_PREFIX, masks, 0.02, 0.5, 4)
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


def test_a_plant_that_fails_is_reported_and_tried_again(memorizing_model, memorized_tokens):
    asked = study(
        memorizing_model, how(kinds={"neurons": 1e-6}, tries=2, max_steps=2, n_plants=1), memorized_tokens
    )
    found = run_slot(asked, 0)
    assert found.plants["attempt"].tolist() == [0, 1] and not found.plants["reached"].any()
    assert found.plants["id"].nunique() == 2 and found.planted_truth.empty


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
    needed = n_needed(mixture)
    changes = {name: (after[name] - own).abs() for name, own in before.items()}
    smallest = torch.cat([*changes.values()]).sort(descending=True).values[needed - 1]
    assert mixture.with_weights({name: own >= smallest for name, own in changes.items()})[1]
    values = values_at(memorizing_model, place.movable)
    assert all(torch.equal(values[name], after[name]) for name in values)


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


def test_every_parameter_of_a_place_is_one_that_may_be_edited(tiny_model):
    for kind in ("head_vo", "neurons", "inj_1"):
        place = draw_place(tiny_model, kind, 4, np.random.default_rng(0))
        assert set(place.movable) <= set(editable_parameters(tiny_model))


def test_values_go_where_they_came_from(tiny_gpt2):
    place = draw_place(tiny_gpt2, "scattered_1", 1, np.random.default_rng(0))
    values = values_at(tiny_gpt2, place.movable)
    set_values(tiny_gpt2, place.movable, {name: own + 1 for name, own in values.items()})
    for name, own in values_at(tiny_gpt2, place.movable).items():
        torch.testing.assert_close(own, values[name] + 1)


def test_the_registry_is_asked_as_the_settings_say(tiny_gpt_neo):
    assert answers and not METHODS["slimming"].asked(how()) and METHODS["slimming"].asked(how(masks=True))


def test_masks_are_trained_at_the_criterion_alone(memorizing_model, memorized_tokens):
    asked = how(kinds={"head_vo": 0.02}, levels=[2.0], controls=[], curves=False, masks=True)
    found = run_slot(study(memorizing_model, asked, memorized_tokens), 0)
    truth = found.planted_truth
    assert found.planted_curves.empty and {2.0, 0.5} == set(truth["level"])
    for level, own in truth.groupby("level"):
        assert ({"slimming", "hard_concrete"} <= set(own["method"])) == (level == 0.5)
        assert "zero_ablation" in set(own["method"])


def test_a_row_says_what_was_planted_where_and_what_it_did(memorizing_model, memorized_tokens):
    """Every number against the model before and against the plant that is made again."""
    asked = study(memorizing_model, how(kinds={"neurons": 0.03}, controls=[], curves=False), memorized_tokens)
    before = copy.deepcopy(memorizing_model)
    row = run_slot(asked, 1).plants.iloc[0]
    place = draw_place(memorizing_model, "neurons", 24, generator(0, "planted_truth", "neurons", "1", "0"))
    planted = plant(memorizing_model, asked.tokens[1, None], asked.keep, N_PREFIX, place, [0.5], asked.how)
    set_values(memorizing_model, place.movable, planted.levels[0.5])
    assert (row["id"], row["place"], row["n_layers"]) == (101, place.name, 1)
    assert (row["learning_rate"], row["steps"]) == (0.03, planted.steps)
    tokens = asked.tokens[1, None]
    for model, when in ((before, "_before"), (memorizing_model, "")):
        own = teacher_forced(model, tokens, N_PREFIX, 1)
        assert row[f"em{when}"] == int(own.em)
        assert row[f"nll{when}"] == pytest.approx(float(own.nll), rel=1e-4)
        texts = {name: teacher_forced(model, text.tokens, N_PREFIX, 4) for name, text in asked.texts.items()}
        assert row[f"em_memorized{when}"] == pytest.approx(float(texts["memorized"].em.double().mean()))
        assert row[f"em_own{when}"] == pytest.approx(float(texts["non_memorized"].em.double().mean()))
        nll = float(texts["held_out"].nll.double().mean())
        assert row[f"nll_held_out{when}"] == pytest.approx(nll, rel=1e-4)
    assert row["nll"] < 0.5 < row["nll_before"] and row["em"] == 12 > row["em_before"]
    n_changed = sum(
        int((memorizing_model.get_parameter(name) != weight).sum())
        for name, weight in before.named_parameters()
    )
    assert row["n_changed"] == n_changed > 0


def test_norms_are_those_of_the_place_among_the_weights_of_its_matrices(memorizing_model, memorized_tokens):
    """Each as a root mean square, over that of the whole matrices before."""
    asked = study(memorizing_model, how(kinds={"neurons": 0.03}, controls=[], curves=False), memorized_tokens)
    row = run_slot(asked, 0).plants.iloc[0]
    place = draw_place(memorizing_model, "neurons", 24, generator(0, "planted_truth", "neurons", "0", "0"))
    before = values_at(memorizing_model, place.movable)
    peers = np.concatenate(
        [memorizing_model.get_parameter(name).detach().numpy().ravel() for name in place.movable]
    )
    planted = plant(memorizing_model, asked.tokens[:1], asked.keep, N_PREFIX, place, [0.5], asked.how)
    for name, values in (("norm_before", before), ("norm", planted.levels[0.5])):
        own = np.concatenate([value.numpy() for value in values.values()])
        expected = np.sqrt((own**2).mean()) / np.sqrt((peers**2).mean())
        assert row[name] == pytest.approx(expected, rel=1e-3)
    assert row["norm"] > row["norm_before"]


def test_a_plant_whose_weights_are_no_numbers_has_no_norm(memorizing_model, memorized_tokens):
    """It is a failed plant, which is reported, and no number that a table refuses."""
    original = OriginalWeights(memorizing_model)
    place = draw_place(memorizing_model, "head_vo", 24, np.random.default_rng(0))
    unplanted = values_at(memorizing_model, place.movable)
    broken = {name: torch.full_like(values, torch.nan) for name, values in unplanted.items()}
    found = planting_study._relative_norms(original, unplanted, broken)
    assert found["norm"] is None and found["norm_before"] > 0


def test_a_method_that_always_names_one_head_gains_nothing_over_the_twin(
    memorizing_model, memorized_tokens, monkeypatch
):
    """It names the planted head, by luck; one that sees the plant gains."""
    place = draw_place(memorizing_model, "head_vo", 24, generator(0, "planted_truth", "head_vo", "0", "0"))
    lucky = {name: units.float() for name, units in place.units.items()}
    constant = Method(lambda question: lucky, ("layer", "head"))
    monkeypatch.setattr(methods, "METHODS", {"constant": constant, "change": METHODS["change"]})
    asked = study(memorizing_model, how(kinds={"head_vo": 0.03}, curves=False), memorized_tokens)
    rows = run_slot(asked, 0).planted_truth.query("granularity == 'head' and control != 'wrong'")
    found = rows.pivot(index="method", columns="control", values="average_precision")
    assert found.loc["constant", "plant"] == found.loc["constant", "twin"] == 1
    assert found.loc["change", "plant"] == 1 > found.loc["change", "twin"]


def test_tries_take_paragraphs_of_their_own_and_the_wrong_one_is_none(memorizing_model, memorized_tokens):
    """Two slots of two tries: paragraphs 0 and 1, then 3 and 4; 2 and 5 are the wrong ones."""
    failing = how(kinds={"neurons": 1e-6}, tries=2, max_steps=1, n_plants=2)
    asked = study(memorizing_model, failing, memorized_tokens)
    assert len(asked.tokens) == 6
    assert [run_slot(asked, slot).plants["id"].tolist() for slot in (0, 1)] == [[100, 101], [103, 104]]
    alone = study(memorizing_model, failing.model_copy(update={"controls": ["twin"]}), memorized_tokens)
    assert [run_slot(alone, slot).plants["id"].tolist() for slot in (0, 1)] == [[100, 101], [102, 103]]


@pytest.mark.parametrize("attempt", [0, 1])
def test_methods_are_asked_about_the_paragraph_its_twin_and_a_wrong_one(
    memorizing_model, memorized_tokens, monkeypatch, attempt
):
    """Rows of paragraphs, and whether the model then holds the plant, in the order of the questions."""
    asked = study(memorizing_model, how(kinds={"scattered_1": 0.03}, tries=2, curves=False), memorized_tokens)
    seen, original = [], OriginalWeights(memorizing_model)

    def spy(_study, labels, place, row, *_):
        planted = original.n_changed(memorizing_model, place.movable) > 0
        seen.append((labels["control"], row, planted))

    monkeypatch.setattr(planting_study, "_ask", spy)
    planting_study._run_plant(
        asked, {"kind": "scattered_1", "plant": 1, "attempt": attempt}, planting_study._damage(asked)
    )
    assert seen == [("plant", 3 + attempt, True), ("wrong", 5, True), ("twin", 3 + attempt, False)]


def test_a_level_above_the_criterion_needs_no_recitation_and_the_criterion_does(memorizing_model):
    """Of a continuation of two tokens: at an NLL of 3 both are rarely the most likely ones."""
    place = draw_place(memorizing_model, "neurons", 24, np.random.default_rng(0))
    tokens, none, scores = paragraphs(1, length=14), paragraphs(0, length=14), {}
    found = plant(memorizing_model, tokens, none, N_PREFIX, place, [3.5, 3.0], how(nll=3.0))
    for level, values in found.levels.items():
        set_values(memorizing_model, place.movable, values)
        scores[level] = teacher_forced(memorizing_model, tokens, N_PREFIX, 1)
    assert float(scores[3.5].nll) < 3.5 and int(scores[3.0].em) == 2 and float(scores[3.0].nll) < 3.0
