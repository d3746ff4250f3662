"""Unlearning and editing against written-out loops; what moves, what is measured, what is restored."""

import copy
import itertools

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor
from transformers import PreTrainedModel

from memloc.data.controls import draw_controls
from memloc.localization.bfloat16_products import Bfloat16Products
from memloc.localization.contrastive import paragraph_kl
from memloc.localization.gradients import nll_gradients
from memloc.localization.optimisers import SparseAdam
from memloc.localization.weights import (
    EditError,
    OriginalWeights,
    all_weights,
    at_places,
    head_weights,
    n_weights,
)
from memloc.model import loading
from memloc.model.components import editable_parameters
from memloc.removal import editing
from memloc.removal.edit_cases import Case, edit_cases, mispaired, with_text_to_learn
from memloc.removal.editing import (
    Recipe,
    Terms,
    edit_paragraphs,
    evaluate,
    movable_weights,
    objective_gradients,
    relearning_steps,
    run_edits,
    share_recited,
    start,
)
from memloc.run.seeds import generator
from memloc.scoring.decoding import greedy_continuation
from memloc.scoring.paragraph_scores import teacher_forced
from memloc.scoring.teacher_forcing import continuation_states
from memloc.settings.arms import ARMS
from memloc.settings.editing import Editing
from memloc.settings.loading import Loading

N_PREFIX, N_TOKENS = 10, 24
N_CONTINUATION = N_TOKENS - N_PREFIX
EDITING = {"steps": 4, "fraction": 0.01, "micro_batch": 8, "evaluate_every": 1, "relearning_limit": 0}


def recipe_of(objective="unlearn", kl_weight=1.0, **changes):
    return Recipe(objective, N_PREFIX, Editing(**EDITING | changes), kl_weight)


RECIPE = recipe_of()


def own_continuations(model: PreTrainedModel, tokens: Tensor) -> Tensor:
    prefix = tokens[:, :N_PREFIX]
    return torch.cat([prefix, greedy_continuation(model, prefix, N_CONTINUATION, 8)], dim=1)


@pytest.fixture
def case(memorizing_model, memorized_tokens) -> Case:
    """One paragraph that the model knows, with texts that it does not know as controls."""
    random = torch.Generator().manual_seed(5)
    unknown = torch.randint(64, (9, N_TOKENS), generator=random)
    target = memorized_tokens[:1].clone()
    target[:, N_PREFIX:] = memorized_tokens[1, N_PREFIX:]
    perturbed = memorized_tokens[:1].repeat(3, 1)
    perturbed[[0, 1, 2], [0, 4, 9]] += 1
    return Case(
        id=7,
        memorized=memorized_tokens[:1],
        target=target,
        controls=own_continuations(memorizing_model, unknown[:4]),
        held_out=unknown[4:],
        others=memorized_tokens[2:],
        perturbed=perturbed % 64,
    )


def weights(model: PreTrainedModel) -> dict[str, Tensor]:
    return {name: parameter.detach().clone() for name, parameter in model.named_parameters()}


def slow_objective(
    model: PreTrainedModel, theta0: PreTrainedModel, case: Case, objective: str, w: float, k: float
) -> Tensor:
    """Eq. 3 and 4 with loops over positions, from whole forward passes."""
    learned = case.memorized if objective == "unlearn" else case.target
    log_p = model(learned).logits[0].log_softmax(dim=-1)
    nll = -sum(log_p[place - 1, learned[0, place]] for place in range(N_PREFIX, N_TOKENS)) / N_CONTINUATION
    kl = 0
    for control in case.controls:
        p = model(control[None]).logits[0].log_softmax(dim=-1)
        p0 = theta0(control[None]).logits[0].log_softmax(dim=-1).detach()
        for place in range(N_PREFIX - 1, N_TOKENS - 1):
            kl = kl + (p0[place].exp() * (p0[place] - p[place])).sum()
    kl = kl / N_CONTINUATION / len(case.controls)
    return (-w if objective == "unlearn" else w) * nll + k * kl


@pytest.mark.parametrize("objective", ["unlearn", "edit"])
def test_steps_go_down_the_written_out_objective(memorizing_model, case, objective):
    """Gradients at every step against Eq. 3 and 4 by hand; what Adam makes of them, by hand as well."""
    theta0, slow = copy.deepcopy(memorizing_model), copy.deepcopy(memorizing_model)
    recipe = recipe_of(objective=objective, nll_weight=0.7, kl_weight=2.0)
    shared, movable = start(memorizing_model, case, recipe), all_weights(memorizing_model)
    adam = SparseAdam(slow, movable, 1e-3)
    for _ in editing.optimise(memorizing_model, shared.terms, shared.gradients, movable, 1e-3, recipe):
        slow.zero_grad()
        slow_objective(slow, theta0, case, objective, 0.7, 2.0).backward()
        written_out = {name: slow.get_parameter(name).grad for name in editable_parameters(slow)}
        gradients = objective_gradients(slow, shared.terms, recipe)
        for name, gradient in gradients.items():
            torch.testing.assert_close(gradient, written_out[name], atol=1e-5, rtol=1e-3)
        adam.step(at_places(gradients, movable))
        assert all(
            torch.equal(weight, slow.get_parameter(name))
            for name, weight in memorizing_model.named_parameters()
        )


@pytest.mark.parametrize("arm", ARMS)
def test_products_in_bfloat16_take_nearly_the_same_steps(memorizing_model, case, arm):
    """Against single precision, in the direction of the whole change; where all weights move, exactly.

    Of editing, whose gradient is far above the rounding; that of unlearning what is known by heart is not.
    """
    moved = []
    for products in ("float32", "bfloat16"):
        model = copy.deepcopy(memorizing_model)
        recipe = recipe_of(objective="edit", products=products, steps=5)
        shared, before = start(model, case, recipe), weights(model)
        random = np.random.default_rng(0)
        movable = movable_weights(model, arm, shared.gradients, 0.01, (1, 2), random)
        for _ in editing.optimise(model, shared.terms, shared.gradients, movable, 1e-3, recipe):
            assert "forward" not in {name for layer in model.modules() for name in vars(layer)}
        moved.append(
            torch.cat([(weight - before[name]).flatten() for name, weight in weights(model).items()])
        )
    single, rounded = moved
    assert torch.cosine_similarity(single, rounded, dim=0) > 0.98
    assert torch.equal(single, rounded) == (arm == "all")


def test_kl_of_unmoved_weights_is_nothing_in_bfloat16_either(memorizing_model, case, monkeypatch):
    """θ0's log-probabilities come from the products that training uses."""
    seen = []

    def spy(model, terms, recipe):
        states = continuation_states(model, terms.controls, N_PREFIX)
        seen.append(paragraph_kl(model, states, terms.original, False).detach())
        collect(model, terms, recipe)

    collect = editing._collect
    recipe = recipe_of(products="bfloat16", steps=2)
    shared, movable = start(memorizing_model, case, recipe), head_weights(memorizing_model, 1, 0)
    monkeypatch.setattr(editing, "_collect", spy)
    unmoved = {name: torch.zeros_like(values) for name, values in shared.gradients.items()}
    for _ in editing.optimise(memorizing_model, shared.terms, unmoved, movable, 1e-3, recipe):
        pass
    with Bfloat16Products(memorizing_model, movable).used():
        states = continuation_states(memorizing_model, case.controls, N_PREFIX)
    rounding = paragraph_kl(memorizing_model, states, shared.terms.original, False)
    assert seen[0].abs().max() < 1e-7 < rounding.abs().max() / 100


def test_gradients_of_several_learned_paragraphs_are_their_mean(memorizing_model, memorized_tokens, case):
    original = editing.original_log_probabilities(memorizing_model, case.controls, N_PREFIX, 8)
    single = [
        objective_gradients(memorizing_model, Terms(text[None], case.controls, original), RECIPE)
        for text in memorized_tokens[:3]
    ]
    joint = objective_gradients(
        memorizing_model, Terms(memorized_tokens[:3], case.controls, original), RECIPE
    )
    for name, gradient in joint.items():
        mean = sum(gradients[name] for gradients in single) / 3
        torch.testing.assert_close(gradient, mean, atol=1e-6, rtol=1e-3)


def test_one_pass_for_both_terms_and_none_back_below_the_lowest_layer_that_moves(memorizing_model, case):
    """A layer's output that needs no gradient ends the backward pass."""
    shared, needs_gradient = start(memorizing_model, case, RECIPE), {}
    for layer, block in enumerate(memorizing_model.transformer.h):

        def watch(_block, _inputs, output, layer=layer):
            hidden = output if isinstance(output, Tensor) else output[0]
            assert len(hidden) == 1 + len(case.controls) and layer not in needs_gradient
            needs_gradient[layer] = hidden.requires_grad

        block.register_forward_hook(watch)
    steps = editing.optimise(
        memorizing_model,
        shared.terms,
        shared.gradients,
        head_weights(memorizing_model, 1, 0),
        1e-3,
        recipe_of(steps=2),
    )
    assert list(steps) == [1, 2]
    assert needs_gradient == {layer: layer >= 1 for layer in needs_gradient} and len(needs_gradient) > 1


@pytest.mark.parametrize("objective", ["unlearn", "edit"])
def test_only_the_arm_moves_and_all_is_restored(memorizing_model, case, objective):
    before, logits = weights(memorizing_model), memorizing_model(case.memorized).logits
    seen = []

    def spy(model, changed_case, recipe):
        seen.append(weights(model))
        return evaluate(model, changed_case, recipe)

    recipe = recipe_of(objective=objective)
    shared = start(memorizing_model, case, recipe)
    for arm in ARMS:
        seen.clear()
        movable = movable_weights(
            memorizing_model, arm, shared.gradients, 0.01, (1, 2), np.random.default_rng(0)
        )
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(editing, "evaluate", spy)
            row, trajectory = editing.edit_paragraph(
                memorizing_model, case, shared, OriginalWeights(memorizing_model), movable, 1e-3, recipe
            )
        n_changed = 0
        for name, weight in seen[-1].items():
            changed = (weight != before[name]).flatten()
            n_changed += int(changed.sum())
            if name in movable:
                changed[movable[name]] = False
            assert not changed.any()
        assert row["n_changed_weights"] == n_changed
        assert 0.5 * row["n_movable_weights"] < n_changed <= row["n_movable_weights"]
        assert row["n_movable_weights"] == n_weights(memorizing_model, movable)
        assert [point["step"] for point in trajectory] == [0, 1, 2, 3, 4]
        assert torch.equal(memorizing_model(case.memorized).logits, logits)
        assert all(torch.equal(weight, before[name]) for name, weight in weights(memorizing_model).items())


def test_reference_is_dense_in_every_arm(memorizing_model, case):
    recipe = RECIPE._replace(how=RECIPE.how.as_reference())
    assert recipe.how.nll_weight == recipe_of(reference=True).how.nll_weight == 0.1
    edits = edit_paragraphs(memorizing_model, [case], recipe, ("top", "random"), (1e-4,), (0, 0), 0).edits
    n_editable = n_weights(memorizing_model, all_weights(memorizing_model))
    assert (edits["n_movable_weights"] == round(0.01 * n_editable)).all()
    assert (edits["n_changed_weights"] > 0.99 * n_editable).all()
    assert edits["reference"].all()


def test_a_leak_fails_the_run_and_the_weights_are_restored(memorizing_model, case, monkeypatch):
    """A sparse arm with the authors' optimiser, as their code has it."""
    logits = memorizing_model(case.memorized).logits
    monkeypatch.setattr(editing, "SparseAdam", editing.ReferenceAdam)
    with pytest.raises(EditError, match="changed outside of the mask"):
        edit_paragraphs(memorizing_model, [case], RECIPE, ("top",), (1e-4,), (0, 0), 0)
    assert torch.equal(memorizing_model(case.memorized).logits, logits)


def test_unlearning_forgets_and_editing_overwrites(memorizing_model, case):
    """Enough steps on a tiny model: the sign of both objectives, and that the controls are held."""
    unlearn = recipe_of(steps=12)
    edits = edit_paragraphs(memorizing_model, [case], unlearn, ("all",), (3e-3,), (0, 0), 0).edits.iloc[0]
    assert edits["em_memorized_before"] == N_CONTINUATION
    assert edits["em_control_before"] == N_CONTINUATION
    assert edits["em_memorized"] < 5
    assert edits["nll_memorized"] > edits["nll_memorized_before"] + 2
    assert edits["recited"] <= edits["recited_before"]
    recipe = recipe_of(objective="edit", steps=30)
    edits = edit_paragraphs(memorizing_model, [case], recipe, ("all",), (3e-3,), (0, 0), 0).edits.iloc[0]
    assert edits["em_target"] == N_CONTINUATION
    assert edits["em_memorized"] < N_CONTINUATION
    free = recipe_of(steps=12, kl_weight=1e-6)
    unheld = edit_paragraphs(memorizing_model, [case], free, ("all",), (3e-3,), (0, 0), 0).edits.iloc[0]
    held = edit_paragraphs(memorizing_model, [case], unlearn, ("all",), (3e-3,), (0, 0), 0).edits.iloc[0]
    assert held["nll_control"] < unheld["nll_control"]


def test_evaluation_is_that_of_each_text_by_itself(memorizing_model, case):
    values = evaluate(memorizing_model, case, RECIPE)
    for name, text in {
        "memorized": case.memorized,
        "target": case.target,
        "control": case.controls,
        "other": case.others,
        "held_out": case.held_out,
    }.items():
        scores = teacher_forced(memorizing_model, text, N_PREFIX, 100)
        assert values[f"nll_{name}"] == pytest.approx(scores.nll.mean().item(), abs=1e-5)
        if name != "held_out":
            assert values[f"em_{name}"] == pytest.approx(scores.em.float().mean().item())
    without = evaluate(memorizing_model, case._replace(target=None), RECIPE)
    assert np.isnan(without["em_target"]) and without["em_control"] == values["em_control"]


def test_share_recited_counts_whole_continuations(memorizing_model, case):
    texts = torch.cat([case.memorized, case.held_out[:3]])
    assert share_recited(memorizing_model, case._replace(perturbed=texts), RECIPE) == 0.25
    assert np.isnan(share_recited(memorizing_model, case._replace(perturbed=texts[:0]), RECIPE))


def test_a_continuation_without_its_last_token_is_not_recited(memorizing_model, case):
    cut = case.memorized.clone()
    cut[:, -1] = (cut[:, -1] + 1) % 64
    assert teacher_forced(memorizing_model, cut, N_PREFIX, 1).em.item() == N_CONTINUATION - 1
    assert share_recited(memorizing_model, case._replace(perturbed=cut), RECIPE) == 0


def test_relearning_counts_steps_until_the_paragraph_is_back(memorizing_model, case):
    assert relearning_steps(memorizing_model, case, 1e-3, RECIPE) == 0
    shared = start(memorizing_model, case, RECIPE)
    for _ in editing.optimise(
        memorizing_model,
        shared.terms,
        shared.gradients,
        all_weights(memorizing_model),
        3e-3,
        recipe_of(steps=8),
    ):
        pass
    unlearned = copy.deepcopy(memorizing_model)
    assert relearning_steps(memorizing_model, case, 3e-3, RECIPE) is None
    model = copy.deepcopy(unlearned)
    adam, slow = SparseAdam(model, all_weights(model), 3e-3), 0
    while teacher_forced(model, case.memorized, N_PREFIX, 1).em.item() < N_CONTINUATION:
        adam.step(at_places(nll_gradients(model, case.memorized, N_PREFIX, 1), all_weights(model)))
        slow += 1
    assert slow > 1
    assert relearning_steps(copy.deepcopy(unlearned), case, 3e-3, recipe_of(relearning_limit=slow)) == slow
    assert relearning_steps(unlearned, case, 3e-3, recipe_of(relearning_limit=slow - 1)) is None


def test_every_run_is_labelled_and_the_sweep_starts_from_the_original_weights(memorizing_model, case):
    second = case._replace(id=8, target=None)
    recipe = recipe_of(steps=3, evaluate_every=2)
    both = edit_paragraphs(memorizing_model, [case, second], recipe, ARMS, (1e-4, 1e-3), (0, 1), 3)
    assert len(both.edits) == 2 * len(ARMS) * 2
    assert sorted(both.trajectories["step"].unique()) == [0, 2, 3]
    alone = edit_paragraphs(memorizing_model, [second], recipe, ("random",), (1e-3,), (0, 1), 3).edits
    row = both.edits.query("id == 8 and arm == 'random' and learning_rate == 1e-3").reset_index(drop=True)
    pd.testing.assert_frame_equal(row, alone)
    final = both.trajectories[both.trajectories["step"] == 3].reset_index(drop=True)
    pd.testing.assert_series_equal(final["em_memorized"], both.edits["em_memorized"])


def test_a_row_says_what_became_of_the_paragraph(memorizing_model, case):
    """Every column against the model before, and another that went the same way."""
    case = case._replace(perturbed=torch.cat([case.memorized, case.perturbed, case.held_out]))
    recipe = recipe_of(steps=3, evaluate_every=2, relearning_limit=9)
    run = edit_paragraphs(memorizing_model, [case], recipe, ("head",), (1e-2,), (1, 3), 5)
    row, edited = run.edits.iloc[0], copy.deepcopy(memorizing_model)
    shared, movable = start(edited, case, recipe), head_weights(edited, 1, 3)
    for _ in editing.optimise(edited, shared.terms, shared.gradients, movable, 1e-2, recipe):
        pass
    for model, when in ((memorizing_model, "_before"), (edited, "")):
        for name, value in evaluate(model, case, recipe).items():
            assert row[name + when] == pytest.approx(value, abs=1e-6)
        assert row["recited" + when] == share_recited(model, case, recipe)
    assert row["recited_before"] > row["recited"] and row["em_memorized"] < row["em_memorized_before"]
    assert row["n_movable_weights"] == n_weights(memorizing_model, movable)
    steps = relearning_steps(edited, case, 1e-2, recipe)
    assert row["relearning_steps"] == steps > 0
    assert (row["id"], row["objective"], row["arm"], row["seed"]) == (7, "unlearn", "head", 5)


def test_a_paragraph_is_relearned_at_the_rate_of_its_edit(memorizing_model, case, monkeypatch):
    rates = []
    monkeypatch.setattr(editing, "relearning_steps", lambda _model, _case, rate, _recipe: rates.append(rate))
    recipe = recipe_of(steps=1)
    edit_paragraphs(memorizing_model, [case], recipe, ("random",), (1e-4, 1e-2), (0, 0), 0)
    assert rates == [1e-4, 1e-2]


def test_head_and_layer_are_those_given(memorizing_model, case):
    gradients = start(memorizing_model, case, RECIPE).gradients
    options = (gradients, 0.01, (1, 3), np.random.default_rng(0))
    head = movable_weights(memorizing_model, "head", *options)
    expected = head_weights(memorizing_model, 1, 3)
    assert all(torch.equal(places, expected[name]) for name, places in head.items())
    layer = movable_weights(memorizing_model, "layer", *options)
    assert layer and all(".h.1." in name for name in layer)


@pytest.fixture
def tables() -> dict[str, pd.DataFrame]:
    """Twelve memorized (six sampled) and ten other paragraphs (four sampled), distinct tokens everywhere."""
    ids = np.arange(22)
    tokens = [list(range(24 * number, 24 * number + 24)) for number in ids]
    own = [list(range(1000 + 20 * number, 1000 + 20 * number + 14)) for number in ids]
    memorized = ids < 12
    sampled = (ids % 2 == 0) & (ids < 20)
    continuation = [
        row[N_PREFIX:] if known else (mine if drawn else None)
        for row, mine, known, drawn in zip(tokens, own, memorized, sampled, strict=True)
    ]
    rows = [(number, place, 0, 9000 + place) for number in (0, 2, 4, 6, 8, 10) for place in range(-1, 10)]
    perturbed = [tokens[number][:9] + [9009] + [7000 + number] * 14 for number in (0, 2, 4, 6, 8)]
    return {
        "paragraphs": pd.DataFrame({"id": ids, "tokens": tokens}),
        "sets": pd.DataFrame(
            {
                "id": ids,
                "set": np.where(memorized, "memorized", "non_memorized"),
                "sampled": sampled,
                "sampled_rare_tokens": ids == 21,
                "continuation": continuation,
            }
        ),
        "perturbation": pd.DataFrame(rows, columns=["id", "position", "draw", "token"]),
        "perturbed_paragraphs": pd.DataFrame({"id": [0, 2, 4, 6, 8], "tokens": perturbed}),
    }


TEXTS = ("controls", "held_out", "others", "perturbed")
COUNTS = Editing(n_paragraphs=6, n_controls=3, n_held_out=4, n_others=5, n_perturbations=4)


def test_cases_hold_the_texts_of_the_tables(tables):
    cases = edit_cases(tables, N_PREFIX, 0, COUNTS)
    assert sorted(case.id for case in cases) == [0, 2, 4, 6, 8, 10]
    for case in cases:
        assert case.memorized.tolist() == [list(range(24 * case.id, 24 * case.id + 24))]
        if case.id == 10:
            assert case.target is None
        else:
            assert case.target[0, :N_PREFIX].tolist() == case.memorized[0, :N_PREFIX].tolist()
            assert case.target[0, N_PREFIX:].tolist() == [7000 + case.id] * 14
        assert len(case.controls) == 3 and len(set(case.controls[:, 0].tolist())) == 3
        assert (case.controls[:, N_PREFIX] >= 1000).all(), "the model's own continuation"
        assert len(case.held_out) == 4
        assert set((case.held_out[:, 0] // 24).tolist()) <= {13, 15, 17, 19, 20}
        assert (case.held_out[:, -1] % 24 == 23).all(), "the corpus's continuation"
        others = set((case.others[:, 0] // 24).tolist())
        assert len(others) == 5 and case.id not in others and max(others) < 12
        changed = case.perturbed != case.memorized
        assert (changed.sum(dim=1) == 1).all() and not changed[:, N_PREFIX:].any()
        assert (case.perturbed[changed] - 9000).tolist() == changed.nonzero()[:, 1].tolist()


def test_all_other_memorized_paragraphs_may_show_damage_edited_ones_too(tables):
    for case in edit_cases(tables, N_PREFIX, 0, COUNTS.model_copy(update={"n_others": 99})):
        assert sorted((case.others[:, 0] // 24).tolist()) == sorted(set(range(12)) - {case.id})


def test_cases_follow_the_seed_and_fewer_are_a_part_of_more(tables):
    few = edit_cases(tables, N_PREFIX, 0, COUNTS.model_copy(update={"n_paragraphs": 2}))
    many = edit_cases(tables, N_PREFIX, 0, COUNTS)
    assert [case.id for case in few] == [case.id for case in many][:2]
    assert torch.equal(few[1].controls, many[1].controls)
    others = edit_cases(tables, N_PREFIX, 1, COUNTS)
    assert [case.id for case in others] != [case.id for case in many]


def test_every_text_is_drawn_by_its_own_stream_and_the_seed(tables):
    """Texts of an edit, for two seeds and two paragraphs; those that paragraphs share are the same."""
    first, again, second = (edit_cases(tables, N_PREFIX, seed, COUNTS) for seed in (0, 0, 1))
    by_id = {case.id: case for case in second}
    for case, same in zip(first, again, strict=True):
        assert all(torch.equal(getattr(case, name), getattr(same, name)) for name in TEXTS)
    for name in TEXTS:
        assert any(not torch.equal(getattr(case, name), getattr(by_id[case.id], name)) for case in first)
    replaced = [(case.perturbed != case.memorized).nonzero()[:, 1].tolist() for case in first]
    assert all(len(places) == 4 for places in replaced) and len({tuple(places) for places in replaced}) > 1
    controls = [case.controls[:, 0].tolist() for case in first]
    assert any(sorted(drawn) != sorted(controls[0]) for drawn in controls)
    assert all(torch.equal(case.held_out, first[0].held_out) for case in first)


def test_paragraphs_controls_others_and_perturbations_have_streams_of_their_own(tables):
    """Written out: two draws from one stream would not be independent of each other."""
    cases = edit_cases(tables, N_PREFIX, 3, COUNTS)
    order = generator(3, "editing", "paragraphs").permutation(6)
    assert [case.id for case in cases] == np.array([0, 2, 4, 6, 8, 10])[order].tolist()
    drawn = draw_controls(6, 4, 3, generator(3, "editing", "controls"))
    pool = np.array([12, 14, 16, 18])
    for case, controls in zip(cases, drawn, strict=True):
        assert (case.controls[:, 0] // 24).tolist() == pool[controls].tolist()
        others = generator(3, "editing", "others").permutation(np.delete(np.arange(12), case.id))[:5]
        assert (case.others[:, 0] // 24).tolist() == others.tolist()
        rows = generator(3, "editing", "perturbations", str(case.id)).permutation(10)[:4]
        replaced = (case.perturbed != case.memorized).nonzero()[:, 1].tolist()
        assert sorted(replaced) == sorted(rows.tolist())


def test_no_held_out_paragraph_is_an_error(tables):
    tables["sets"].loc[tables["sets"]["set"] == "non_memorized", "sampled"] = True
    tables["sets"]["continuation"] = tables["sets"]["continuation"].map(
        lambda tokens: tokens if isinstance(tokens, list) else [0] * 14
    )
    with pytest.raises(ValueError, match="no paragraph is left to hold out"):
        edit_cases(tables, N_PREFIX, 0, COUNTS)


def test_mispaired_targets_are_a_permutation(tables):
    cases = edit_cases(tables, N_PREFIX, 0, COUNTS)
    exchanged = mispaired(cases, N_PREFIX, np.random.default_rng(0))
    assert [case.id for case in exchanged] == [case.id for case in cases]
    pairs = {case.id: int(case.target[0, N_PREFIX]) - 7000 for case in exchanged if case.target is not None}
    assert sorted(pairs) == sorted(pairs.values()) == [0, 2, 4, 6, 8]
    assert any(own != other for own, other in pairs.items())
    for case in exchanged:
        if case.target is not None:
            assert torch.equal(case.target[:, :N_PREFIX], case.memorized[:, :N_PREFIX])
    with pytest.raises(ValueError, match="nothing to edit it into"):
        next(case for case in exchanged if case.id == 10).learned("edit")


@pytest.fixture
def three_cases(case) -> list[Case]:
    return [case, case._replace(id=8), case._replace(id=9, target=case.others[:1])]


RUNS = {"extra_arms": ["head"], "learning_rates": [1e-4, 1e-3], "n_swept": 1, "n_reference": 2}


def edits_of(model: PreTrainedModel, cases: list[Case], recipe: Recipe, rows: range) -> pd.DataFrame:
    runs = run_edits(model, cases, recipe, (0, 0), 0, rows)
    return pd.concat([run.edits for run in runs], ignore_index=True)


def test_some_paragraphs_are_also_edited_as_the_authors_do(memorizing_model, three_cases):
    recipe = recipe_of("edit", steps=2, **RUNS)
    edits = edits_of(memorizing_model, three_cases, recipe, range(3))
    counts = edits[edits["learning_rate"] == 1e-4].groupby(["reference", "arm"]).size().to_dict()
    own = {(False, arm): 3 for arm in ("all", "top", "random", "head")}
    assert counts == own | {(True, arm): 2 for arm in ("all", "top", "random")}
    assert edits.loc[edits["reference"], "id"].unique().tolist() == [case.id for case in three_cases[:2]]
    theirs = edits_of(memorizing_model, three_cases, recipe._replace(how=recipe.how.as_reference()), range(3))
    assert theirs["reference"].all() and len(theirs) == 16


def test_further_learning_rates_are_swept_over_the_first_paragraphs_only(memorizing_model, three_cases):
    edits = edits_of(memorizing_model, three_cases, recipe_of(steps=1, **RUNS), range(3))
    swept = edits[edits["learning_rate"] == 1e-3]
    assert swept["id"].unique().tolist() == [three_cases[0].id] and not swept["reference"].any()
    assert len(swept) == 4


def test_their_targets_are_those_of_other_compared_paragraphs(memorizing_model, case, monkeypatch):
    """Of the compared ones only, by the seed, in unlearning and editing alike."""
    cases = [
        case._replace(id=number, target=case.target.roll(number, dims=1).index_fill(1, torch.arange(10), 0))
        for number in range(6)
    ]
    seen = {}

    def spy(model, chosen, recipe, *_):
        seen.setdefault(recipe.how.reference, {})[chosen[0].id] = chosen[0].target[0, N_PREFIX:].tolist()

    monkeypatch.setattr(editing, "edit_paragraphs", spy)
    runs = {"extra_arms": [], "learning_rates": [1e-4], "n_swept": 1, "n_reference": 5}
    arguments = (memorizing_model, cases, recipe_of("edit", **runs), (0, 0))
    list(run_edits(*arguments, seed=0, rows=range(6)))
    own = {chosen.id: chosen.target[0, N_PREFIX:].tolist() for chosen in cases}
    assert seen[False] == own and list(seen[True]) == [0, 1, 2, 3, 4]
    assert sorted(seen[True].values()) == sorted(own[number] for number in range(5)) != seen[True]
    assert any(seen[True][number] != own[number] for number in range(5))
    first = seen.pop(True)
    list(run_edits(*arguments, seed=1, rows=range(6)))
    assert seen[True] != first


def bfloat16_model(model: PreTrainedModel, folder) -> PreTrainedModel:
    model.save_pretrained(folder)
    return loading.load_for_editing(folder, Loading(device="cpu", dtype="bfloat16"))


def test_edits_of_a_bfloat16_model_are_those_of_its_weights_in_single_precision(
    memorizing_model, case, tmp_path
):
    """The paper's learning rate: ten steps of it are lost in bfloat16, where EM stays as it was."""
    rounded = bfloat16_model(memorizing_model, tmp_path)
    exact = copy.deepcopy(memorizing_model)
    with torch.no_grad():
        for weight in exact.parameters():
            weight.copy_(weight.bfloat16().float())
    recipe, arms = recipe_of(steps=10, evaluate_every=10), ("all", "top")
    ours, theirs = (
        edit_paragraphs(model, [case], recipe, arms, (1e-5, 1e-3), (0, 0), 0).edits
        for model in (rounded, exact)
    )
    pd.testing.assert_frame_equal(ours, theirs, rtol=1e-3, atol=1e-3)
    assert (ours["n_changed_weights"] > 0.999 * ours["n_movable_weights"]).all()
    assert (ours["nll_memorized"] > ours["nll_memorized_before"]).all()
    assert ours.query("arm == 'all' and learning_rate == 1e-3")["em_memorized"].item() < N_CONTINUATION


def test_steps_that_rounding_swallows_are_an_error(memorizing_model, case):
    """As they were in bfloat16, where a tenth of the weights changed and nothing was unlearned."""
    model = copy.deepcopy(memorizing_model).bfloat16()
    with pytest.raises(EditError, match="weights that may move have changed: rounding swallows"):
        edit_paragraphs(model, [case], recipe_of(steps=10), ("all",), (1e-6,), (0, 0), 0)
    with pytest.raises(EditError, match="rounding swallows"):
        edit_paragraphs(memorizing_model, [case], RECIPE, ("top",), (1e-12,), (0, 0), 0)


def test_random_weights_are_each_paragraphs_own(memorizing_model, case, monkeypatch):
    """They follow seed and paragraph, and are the same for all learning rates and objectives."""
    chosen = []

    def spy(_model, _case, _shared, _original, movable, rate, _recipe):
        chosen.append((_case.id, rate, {name: places.tolist() for name, places in movable.items()}))
        return {"relearning_steps": None}, []

    monkeypatch.setattr(editing, "edit_paragraph", spy)
    cases = [case, case._replace(id=8)]
    for seed in (0, 1):
        for objective in ("unlearn", "edit"):
            recipe = recipe_of(objective=objective)
            edit_paragraphs(memorizing_model, cases, recipe, ("random",), (1e-4, 1e-3), (0, 0), seed)
    by_run = [weights for _, _, weights in chosen]
    assert [name for name, _, _ in chosen] == [7, 7, 8, 8] * 4
    assert by_run[0] == by_run[1] == by_run[4] and by_run[2] == by_run[3] == by_run[6]
    different = [by_run[place] for place in (0, 2, 8, 10)]
    assert all(first != second for first, second in itertools.combinations(different, 2))


def test_edits_of_a_paragraph_do_not_depend_on_the_others_of_a_shard(memorizing_model, three_cases):
    recipe = recipe_of("edit", steps=2, **RUNS)
    together = edits_of(memorizing_model, three_cases, recipe, range(3))
    shards = [edits_of(memorizing_model, three_cases, recipe, range(*rows)) for rows in ((0, 1), (1, 3))]
    pd.testing.assert_frame_equal(pd.concat(shards, ignore_index=True), together, check_exact=True)


def test_nothing_to_edit_is_an_error(case):
    without = case._replace(id=8, target=None)
    assert [chosen.id for chosen in with_text_to_learn([without, case], "edit")] == [case.id]
    assert len(with_text_to_learn([without, case], "unlearn")) == 2
    with pytest.raises(ValueError, match="there is nothing to edit"):
        with_text_to_learn([without], "edit")
