"""A study of plants: what its rows say, and what methods are asked about."""

import copy

import numpy as np
import pandas as pd
import pytest
import torch
from made_plants import N_PREFIX, how, study

from memloc.editing.masks import EditError, OriginalWeights
from memloc.planting import methods, weight_methods
from memloc.planting import study as planting_study
from memloc.planting.grown import grown_memories
from memloc.planting.places import draw_place
from memloc.planting.planter import plant
from memloc.planting.study import questions_of_grown, run_slot
from memloc.run.seeds import generator
from memloc.scoring.paragraph_scores import teacher_forced
from memloc.settings.methods import HEADS, METHODS, Method
from memloc.settings.model import Grown


def test_a_row_says_what_was_planted_where_and_what_it_did(memorizing_model, memorized_tokens):
    """Every number against the model before and against the plant that is made again."""
    settings = how(kinds={"neurons": 0.03}, controls=[])
    asked = study(memorizing_model, settings, memorized_tokens)
    before = copy.deepcopy(memorizing_model)
    found = run_slot(asked, 1)
    row, truth = found.plants.iloc[0], found.planted_truth
    place = draw_place(memorizing_model, "neurons", how(), generator(0, "planted_truth", "neurons", "1", "0"))
    planted = plant(memorizing_model, asked.tokens[1, None], asked.keep, N_PREFIX, place, asked.how)
    assert (row["id"], row["place"], row["n_layers"]) == (101, place.name, 1)
    assert (row["learning_rate"], row["steps"]) == (0.03, planted.steps)
    tokens = asked.tokens[1, None]
    for model, when in ((before, "_before"), (memorizing_model, "")):
        own = teacher_forced(model, tokens, N_PREFIX, 1)
        assert row[f"em{when}"] == int(own.em)
        assert row[f"nll{when}"] == pytest.approx(float(own.nll), rel=1e-4)
        texts = {name: teacher_forced(model, text.tokens, N_PREFIX, 4) for name, text in asked.texts.items()}
        assert row[f"em_memorized{when}"] == pytest.approx(float(texts["memorized"].em.double().mean()))
        nll = float(texts["held_out"].nll.double().mean())
        assert row[f"nll_held_out{when}"] == pytest.approx(nll, rel=1e-4)
    assert row["nll"] < 0.5 < row["nll_before"] and row["em"] == 12 > row["em_before"]
    changed = [memorizing_model.get_parameter(name) != weight for name, weight in before.named_parameters()]
    assert row["n_changed"] == sum(int(own.sum()) for own in changed) > 0
    assert row["n_allowed"] == sum(map(len, place.movable.values()))
    oracle = truth[truth["method"] == "change"].set_index("granularity")
    for name, units in place.units.items():
        if name in oracle.index:
            own, place_of = oracle.loc[name], units.flatten()
            assert (own["n_units"], own["n_place"]) == (len(place_of), int(place_of.sum()))
            assert place_of[own["first"]], "the oracle names a unit of the place first"


def test_a_method_that_always_names_one_head_gains_nothing_over_the_twin(
    memorizing_model, memorized_tokens, monkeypatch
):
    """It names the planted head, by luck; one that sees the plant gains."""
    place = draw_place(memorizing_model, "heads", how(), generator(0, "planted_truth", "heads", "0", "0"))
    lucky = {name: units.float() for name, units in place.units.items()}
    monkeypatch.setattr(weight_methods, "constant", lambda question: lucky, raising=False)
    monkeypatch.setattr(methods, "METHODS", {"constant": Method(HEADS), "change": METHODS["change"]})
    asked = study(memorizing_model, how(kinds={"heads": 0.03}), memorized_tokens)
    rows = run_slot(asked, 0).planted_truth.query("granularity == 'head' and control != 'wrong'")
    found = rows.pivot(index="method", columns="control", values="average_precision")
    assert found.loc["constant", "plant"] == found.loc["constant", "twin"] == 1
    assert found.loc["change", "plant"] == 1 > found.loc["change", "twin"]


def test_tries_take_paragraphs_of_their_own_and_the_wrong_one_is_none(memorizing_model, memorized_tokens):
    """Two slots of two tries: paragraphs 0 and 1, then 3 and 4; 2 and 5 are the wrong ones."""
    failing = how(kinds={"neurons": 1e-6}, tries=2, max_steps=1, n_plants=2)
    asked = study(memorizing_model, failing, memorized_tokens)
    assert len(asked.tokens) == 6
    found = [run_slot(asked, slot) for slot in (0, 1)]
    assert [slot.plants["id"].tolist() for slot in found] == [[100, 101], [103, 104]]
    for slot in found:
        assert slot.plants["attempt"].tolist() == [0, 1] and not slot.plants["reached"].any()
        assert slot.planted_truth.empty
    alone = study(memorizing_model, failing.model_copy(update={"controls": ["twin"]}), memorized_tokens)
    assert [run_slot(alone, slot).plants["id"].tolist() for slot in (0, 1)] == [[100, 101], [102, 103]]


@pytest.mark.parametrize("attempt", [0, 1])
def test_methods_are_asked_about_the_paragraph_a_wrong_one_and_the_twin(
    memorizing_model, memorized_tokens, monkeypatch, attempt
):
    """Rows of paragraphs, whether the model then holds the plant, and whether the oracle sees it."""
    asked = study(memorizing_model, how(kinds={"neurons": 0.03}, tries=2), memorized_tokens)
    seen, original = [], OriginalWeights(memorizing_model)

    def spy(question, place):
        planted = original.n_changed(memorizing_model, place.movable) > 0
        row = int((asked.tokens == question.tokens).all(dim=1).nonzero())
        assert torch.equal(question.pair.memorized[0], asked.tokens[row])
        seen.append((row, planted, any(change.any() for change in question.change.values())))
        return [{}]

    monkeypatch.setattr(planting_study, "_scored_answers", spy)
    _, answered = planting_study._run_plant(asked, {"kind": "neurons", "plant": 1, "attempt": attempt})
    assert [row["control"] for row in answered] == ["plant", "wrong", "twin"]
    assert seen == [(3 + attempt, True, True), (5, True, True), (3 + attempt, False, False)]


def test_a_place_of_single_weights_has_no_pair_and_others_have_one(memorizing_model, memorized_tokens):
    asked = study(memorizing_model, how(), memorized_tokens)
    for kind, has in (("weights", False), ("neurons", True), ("heads", True)):
        place = draw_place(memorizing_model, kind, how(), np.random.default_rng(0))
        assert (planting_study._pair(asked, place, asked.paragraph(0)) is not None) == has, kind


def test_methods_are_asked_about_grown_memories_in_three_models(
    memorizing_model, memorized_tokens, monkeypatch
):
    """In their slots, the model and its twins; the oracle names the place."""
    grows = Grown(kinds=["grown_heads", "grown_weights"], n_memories=2)
    memories = [
        memory
        for swapped in (False, True)
        for memory in grown_memories(memorizing_model, np.arange(4), grows, 0, swapped)
    ]
    asked = study(memorizing_model, how(kinds={"neurons": 1e-6}, max_steps=1, n_plants=2), memorized_tokens)
    swapped, never = (asked._replace(model=copy.deepcopy(memorizing_model)) for _ in range(2))
    recited, tokens = [True] * 7 + [False], pd.Series(memorized_tokens[:4].tolist())
    grown = questions_of_grown(memories, recited, tokens, asked, [swapped, never])
    found = run_slot(asked._replace(grown=grown), 1).planted_truth
    labels = found.groupby(["kind", "plant", "attempt", "control"]).size()
    slots = [
        (kind, number) for kind, number in (("grown_heads", 1), ("grown_heads", 3), ("grown_weights", 1))
    ]
    expected = [(*slot, 0, control) for slot in slots for control in ("never", "plant", "twin")]
    assert labels.index.tolist() == expected, "the last memory is not recited"
    assert found.groupby(["kind", "plant"])["id"].first().tolist() == [1, 1, 3]
    oracle = found[(found["method"] == "change") & (found["granularity"] != "layer")]
    assert (oracle["average_precision"] == 1).all() and set(oracle["granularity"]) == {"head", "weight"}
    seen = []
    monkeypatch.setattr(
        planting_study, "_scored_answers", lambda question, place: seen.append((question, place)) or []
    )
    for one, models in ((0, (asked, swapped, never)), (4, (swapped, asked, never))):
        seen.clear()
        run_slot(asked._replace(grown=grown[one : one + 1]), 0)
        for (question, place), of in zip(seen, models, strict=True):
            assert question.model is of.model and place is grown[one].memory.place
            assert torch.equal(question.tokens, memorized_tokens[0, None])
    (one,) = questions_of_grown(memories[1:2], [True], tokens, asked, [])
    seen.clear()
    run_slot(asked._replace(grown=[one]), 1)
    for (question, _), about in zip(seen, (memorized_tokens[1], asked.wrong(1).tokens[0]), strict=True):
        assert question.model is asked.model and torch.equal(question.tokens, about[None])


def test_tries_end_with_the_first_that_succeeds(memorizing_model, memorized_tokens, monkeypatch):
    asked, tried = study(memorizing_model, how(tries=3), memorized_tokens), []

    def tries_needed(_study, labels):
        """One of heads, two of others."""
        tried.append((labels["kind"], labels["attempt"]))
        return labels | {"reached": labels["attempt"] == (labels["kind"] != "heads")}, []

    monkeypatch.setattr(planting_study, "_run_plant", tries_needed)
    run_slot(asked, 0)
    others = [(kind, attempt) for kind in ("neurons", "weights") for attempt in (0, 1)]
    assert tried == [("heads", 0), *others]


def test_weights_that_were_not_restored_are_an_error(memorizing_model, memorized_tokens, monkeypatch):
    settings = how(kinds={"neurons": 1e-3}, max_steps=1)
    asked = study(memorizing_model, settings, memorized_tokens)
    monkeypatch.setattr(planting_study, "set_values", lambda *_: None)
    with pytest.raises(EditError, match="768 weights"):
        run_slot(asked, 0)
