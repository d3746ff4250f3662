"""Contrastive objectives against full forward passes, torch's KLDivLoss and loops over paragraphs."""

from functools import partial

import plain_gradients as plain
import pytest
import torch
from plain_runs import plain_gradients
from plain_unlearning import moved

from memloc.editing.gradients import editable_gradients, take_gradients
from memloc.editing.objectives import Terms, collect_objective, original_states
from memloc.model.subject import Subject
from memloc.scoring.losses import log_probabilities

N_PREFIX, N_CONTINUATION = 5, 7
subject = partial(Subject, n_prefix=N_PREFIX, micro_batch=4)


def terms_of(model, learned, controls) -> Terms:
    p0 = log_probabilities(subject(model), original_states(subject(model), controls))
    assert not p0.requires_grad
    return Terms(learned, controls, lambda rows: p0[rows])


def collected(model, terms, weights, micro_batch, reference=False):
    with editable_gradients(subject(model)):
        collect_objective(subject(model, micro_batch=micro_batch), terms, weights, reference)
        return take_gradients(subject(model))


@pytest.mark.parametrize(("sign", "reference"), [(-1, False), (1, True)])
def test_objective_away_from_theta0(tiny_model, tiny_tokens, sign, reference):
    learned, controls, model = tiny_tokens[:2], tiny_tokens[2:], moved(tiny_model)
    weights = torch.tensor([sign * 0.05] * 2 + [2 / 5] * 5)
    fast = collected(model, terms_of(tiny_model, learned, controls), weights, 4, reference)
    kl = plain.kl(model, tiny_model, controls, N_PREFIX)
    assert kl > 0.05
    loss = sign * 0.1 * plain.nll(model, learned, N_PREFIX) + 2 * (kl if reference else kl / N_CONTINUATION)
    slow = plain_gradients(model, loss, subject(model).weights)
    torch.testing.assert_close(fast, slow, atol=2e-6, rtol=1e-3)


@pytest.mark.parametrize("micro_batch", [1, 3, 4])
def test_micro_batches_hold_one_kind_of_text_the_other_or_both(tiny_gpt_neo, tiny_tokens, micro_batch):
    """With 3 learned paragraphs and 4 controls; texts of one kind alone are a term alone."""
    model, weights = moved(tiny_gpt_neo), torch.linspace(-1, 2, 7)
    terms = terms_of(tiny_gpt_neo, tiny_tokens[:3], tiny_tokens[3:])
    found = collected(model, terms, weights, micro_batch)
    nothing = tiny_tokens[:0]
    parts = [
        collected(model, terms._replace(controls=nothing), weights[:3], 100),
        collected(model, terms._replace(learned=nothing), weights[3:], 100),
    ]
    whole = {name: sum(gradients[name] for gradients in parts) for name in found}
    torch.testing.assert_close(found, whole, atol=1e-6, rtol=1e-4)
