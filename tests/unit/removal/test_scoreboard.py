"""The judges of ways to remove, and the ways side by side."""

from contextlib import nullcontext

import numpy as np
import pandas as pd
import pytest
import torch
from made_requests import N_PREFIX, SMALL, meddling, other_text, subject
from plain_decoding import matching
from torch import nn
from transformers import LogitsProcessor

from memloc.model.weights import EditError
from memloc.removal import registry
from memloc.removal.judging import FORBIDDEN_NLL, decoded, judged, perturbed_versions, rounded
from memloc.removal.registry import Way
from memloc.removal.scoreboard import as_it_is, best_setting, lost, run_way
from memloc.removal.ways.diversions import NgramBlocklist
from memloc.scoring.paragraph_scores import teacher_forced
from memloc.settings.removal_ways import WAY_NAMES
from memloc.settings.remove import Remove
from memloc.tables.columns import Lengths
from memloc.tables.schemas import schema_of
from memloc.tables.validation import validate
from tiny_models import VOCABULARY

N_CONTINUATION = 24 - N_PREFIX


def test_judges_without_a_processor_are_those_of_all_analyses(memorizing_model, disturbed):
    found = judged(subject(memorizing_model, 7), disturbed[:40])
    scores = teacher_forced(subject(memorizing_model, 16), disturbed[:40])
    assert found.em.tolist() == scores.em.tolist()
    torch.testing.assert_close(found.nll, scores.nll, rtol=1e-4, atol=1e-5)


def test_exact_match_under_a_processor_is_that_of_decoding_with_it(memorizing_model, memorized_tokens):
    processor = NgramBlocklist(memorized_tokens[:4], N_PREFIX, 3)
    found = judged(subject(memorizing_model, 5), memorized_tokens, processor)
    generated = decoded(subject(memorizing_model, 5), memorized_tokens, found.em, processor)
    assert found.em.tolist() == matching(generated, memorized_tokens[:, N_PREFIX:]).tolist()
    assert (found.em[:4] == 0).all() and (found.em[4:] == N_CONTINUATION).all()
    assert found.nll.isfinite().all()
    for row, continuation in zip(memorized_tokens[:2], generated[:2], strict=True):
        text = row[None, :N_PREFIX]
        for token in continuation:
            logits = processor(text, memorizing_model(text).logits[:, -1])
            assert int(logits.argmax()) == int(token)
            text = torch.cat([text, token.view(1, 1)], dim=1)


class Forbids:
    """Forbids one token after every prefix, as a blocklist does, and makes another one all but impossible."""

    def __init__(self, forbidden, unlikely):
        self.forbidden, self.unlikely = forbidden, unlikely

    def __call__(self, ids, logits):
        logits = logits.clone()
        logits[..., self.unlikely] -= 100
        logits[..., self.forbidden] = -torch.inf
        return logits


def test_only_forbidden_tokens_are_cut(memorizing_model, disturbed):
    tokens = disturbed[:30]
    forbidden, unlikely = (int(tokens[0, N_PREFIX + place]) for place in (0, 1))
    assert forbidden != unlikely
    found = judged(subject(memorizing_model, 7), tokens, Forbids(forbidden, unlikely))
    with torch.no_grad():
        logits = Forbids(forbidden, unlikely)(None, memorizing_model(tokens).logits[:, N_PREFIX - 1 : -1])
    true = tokens[:, N_PREFIX:]
    nll = -logits.log_softmax(-1).gather(-1, true[..., None]).squeeze(-1)
    assert nll[true == unlikely].max() > 50
    nll[true == forbidden] = FORBIDDEN_NLL
    torch.testing.assert_close(found.nll, nll.mean(1), rtol=1e-4, atol=1e-4)


def test_a_way_that_does_nothing_scores_as_nothing(study, monkeypatch):
    idle = Way(lambda request: lambda setting: nullcontext(), ("x",), "svd", diverts=True)
    monkeypatch.setitem(registry.WAYS, "heads", idle)
    found, nothing = run_way(study, "heads"), as_it_is(study)
    labels = ["way", "setting", "mode", "removed"]
    for name in ("removal", "removal_damage"):
        rows = getattr(found, name)
        joint = rows[rows["mode"] == "joint"].drop(columns=labels, errors="ignore")
        expected = getattr(nothing, name).drop(columns=labels, errors="ignore")
        joint, close = joint.reset_index(drop=True), {"rtol": 1e-4, "atol": 1e-5}
        pd.testing.assert_frame_equal(joint, expected, check_dtype=False, **close)
    assert (nothing.removal["em"] == N_CONTINUATION).all() and (nothing.removal["edit_distance"] == 0).all()


class ExactPrefix(LogitsProcessor):
    """Blocks nothing but the very prefixes that tests use."""

    def __init__(self, tokens):
        self.prefixes = {tuple(row[:N_PREFIX].tolist()): int(row[N_PREFIX]) for row in tokens}

    def __call__(self, input_ids, scores):
        scores = scores.clone()
        for row, text in enumerate(input_ids.tolist()):
            if tuple(text) in self.prefixes:
                scores[row, self.prefixes[tuple(text)]] = -torch.inf
        return scores


def test_shares_that_are_recited_are_those_of_the_versions(study):
    """Of three perturbed versions two are the paragraph itself."""
    own, other = study.texts.target.tokens, other_text(4, seed=9)
    target = study.texts.target._replace(perturbed=torch.stack([own, other, own], dim=1))
    rows = as_it_is(study._replace(texts=study.texts._replace(target=target))).removal
    assert rows["recited_perturbed"].tolist() == pytest.approx([2 / 3] * 4)


def test_a_way_that_changes_what_it_may_not_is_an_error_and_leaves_the_model(study, original, monkeypatch):
    monkeypatch.setitem(registry.WAYS, "top", meddling("transformer.wte.weight"))
    with pytest.raises(EditError, match="changed outside of the mask"):
        run_way(study, "top")
    assert original.n_changed({}) == 0


@pytest.mark.parametrize(
    ("forgotten", "harm", "best"),
    [
        ([0.0, 0.95, 0.9, 1.0], [0.0, 0.8, 0.7, 0.9], 2),  # of three that remove, the least harmful
        ([0.0, 0.1, 0.8, 0.3], [0.0, 0.5, 0.9, 0.6], 2),  # none removes: the one that forgets most
        ([0.95, 1.0], [0.5, 0.5], 0),
        ([0.1, 0.1], [0.9, 0.2], 0),
    ],
)
def test_a_setting_is_to_remove_and_then_to_harm_least(forgotten, harm, best):
    assert best_setting(np.array(forgotten), np.array(harm)) == best


@pytest.mark.parametrize("name", WAY_NAMES)
def test_every_way_gives_valid_tables_and_leaves_the_model(study, original, name):
    found = run_way(study._replace(how=study.how.model_copy(update={"n_single": 1})), name)
    for table in ("removal", "removal_damage"):
        assert len(validate(schema_of(table), getattr(found, table), Lengths(24, N_PREFIX)))
    nothing = as_it_is(study)
    assert len(validate(schema_of("removal"), nothing.removal, Lengths(24, N_PREFIX))) == 4
    assert len(validate(schema_of("removal_damage"), nothing.removal_damage, Lengths(24, N_PREFIX))) == 12
    changes = not registry.WAYS[name].diverts
    assert ((found.removal["n_changed_weights"] > 0) == changes).all()
    assert original.n_changed({}) == 0, "every weight is what it was"
    assert not any(own._forward_hooks or own._forward_pre_hooks for own in study.subject.model.modules())
    assert all(parameter.grad is None for parameter in study.subject.model.parameters())


def test_perturbed_versions_are_different_tokens_at_different_places():
    """As many as the prefix has tokens, if more are asked for; every other token takes a turn."""
    row = other_text(1)[0]
    every = perturbed_versions(row, N_PREFIX, 50, VOCABULARY, np.random.default_rng(1))
    assert sorted((every != row).nonzero()[:, 1].tolist()) == list(range(N_PREFIX)) and len(every) == N_PREFIX
    assert len(perturbed_versions(row, N_PREFIX, 5, VOCABULARY, np.random.default_rng(0))) == 5
    rngs = map(np.random.default_rng, range(40))
    assert {int(perturbed_versions(row[:2] * 0, 1, 1, 3, rng)[0, 0]) for rng in rngs} == {1, 2}


def test_what_settings_forget_and_harm_are_shares_of_the_tokens_and_choose_one(study, monkeypatch):
    """A way whose first setting forbids nothing, and whose second one the first token of what is removed and
    of one of the two texts that say what harm that does."""
    harmed = study.texts.validation_own[:1]

    def prepare(request):
        block = ExactPrefix(torch.cat([request.remove, harmed]))
        return lambda setting: nullcontext(block if setting[0] > 1 else None)

    block = Way(prepare, ("x",), "heads", diverts=True)
    monkeypatch.setitem(registry.WAYS, "heads", block)
    assert lost(study, "heads").tolist() == [[0, 1], [0, 0.5]]
    assert set(run_way(study, "heads").removal["setting"]) == {"x 2"}


def test_paragraphs_are_relearned_only_where_that_is_asked_for(study):
    how = Remove(**SMALL | {"relearning_limit": 0, "ways": ["top"]})
    found, relearned = (run_way(each, "top") for each in (study._replace(how=how), study))
    assert found.removal["relearning_steps"].isna().all()
    assert found.removal_damage.equals(relearned.removal_damage), "it is that of the way alone"
    how = Remove(**SMALL | {"unlearning": [1e-9], "steps": 1})
    assert (run_way(study._replace(how=how), "top").removal["relearning_steps"] == 0).all(), "none is gone"


@pytest.mark.parametrize("bits", [8, 4])
def test_every_channel_is_on_its_own_grid_and_the_model_is_as_it_was(tiny_model, bits):
    before = {name: weight.detach().clone() for name, weight in tiny_model.named_parameters()}
    with rounded(subject(tiny_model), bits):
        after = {name: weight.detach().clone() for name, weight in tiny_model.named_parameters()}
    for name, weight in tiny_model.named_parameters():
        assert torch.equal(weight, before[name]), name
        if name not in subject(tiny_model).weights:
            assert torch.equal(after[name], before[name]), name
            continue
        linear = isinstance(tiny_model.get_submodule(name.removesuffix(".weight")), nn.Linear)
        channels = zip(*(each[name] if linear else each[name].T for each in (before, after)), strict=True)
        for own, found in channels:
            step = own.abs().max() / (2 ** (bits - 1) - 1)
            torch.testing.assert_close(found, (own / step).round() * step)
            assert len(found.unique()) <= 2**bits - 1
            assert (found - own).abs().max() <= step / 2 * 1.001


def test_weights_of_zero_stay_zero(tiny_gpt2):
    name = next(iter(subject(tiny_gpt2).weights))
    tiny_gpt2.get_parameter(name).data.zero_()
    with rounded(subject(tiny_gpt2), 4):
        assert (tiny_gpt2.get_parameter(name) == 0).all()
