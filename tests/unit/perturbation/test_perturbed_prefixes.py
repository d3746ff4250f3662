"""Versions from shared prefixes against whole passes over each; screening against full precision."""

from collections import Counter

import pytest
import torch
from made_paragraphs import N_PREFIX, own_paragraphs, random

from memloc.perturbation import kinds, perturbed_prefixes
from memloc.perturbation.perturbed_prefixes import match_versions, score_versions
from memloc.scoring import paragraph_scores, screening, teacher_forcing
from memloc.scoring.early_stopping import match_batch
from memloc.scoring.screening import screening_model, screening_pays
from memloc.settings.scores import Scoring


def scoring(micro_batch, margin_threshold):
    return Scoring(micro_batch=micro_batch, margin_threshold=margin_threshold)


def perturbed(tokens, positions, draws):
    """[row, chosen, token]: one row per paragraph and draw."""
    shape = (len(tokens), draws, len(positions))
    drawn = torch.randint(64, shape, generator=random(0))
    return kinds.versions(tokens, "replaced", positions, drawn).flatten(0, 1)


@pytest.fixture
def memorized_versions(memorizing_model, memorized_tokens):
    positions = torch.arange(12)
    return memorizing_model, perturbed(memorized_tokens, positions, draws=20), positions, 12


@pytest.fixture(params=["gpt_neo", "gpt2", "gpt_neox", "llama", "memorizing"])
def case(request):
    """(model, versions, positions, n_prefix): every tiny family on its own text, and memorized text.

    In most of a tiny model's paragraphs a mismatch is known, and a perturbation often leaves it where it is.
    """
    if request.param == "memorizing":
        return request.getfixturevalue("memorized_versions")
    model, positions = request.getfixturevalue(f"tiny_{request.param}"), torch.tensor([0, 3, 6, 7])
    return model, perturbed(own_paragraphs(model, 130), positions, 2), positions, N_PREFIX


def twin(model, factor):
    """Make tokens 32..63 near-copies of 0..31: all decisions between two such tokens are near-ties."""
    with torch.no_grad():
        weight = model.get_output_embeddings().weight
        weight[32:] = weight[:32] * factor


def test_shared_prefixes_change_nothing(case):
    model, rows, positions, n_prefix = case
    rows = rows[:60]
    fast = score_versions(model, rows, positions, n_prefix, scoring(7, 0.3))
    slow = paragraph_scores.score(model, rows.flatten(0, 1), n_prefix, scoring(50, 0.3))
    assert torch.equal(fast.em, slow.em) and torch.equal(fast.redecoded, slow.redecoded)
    assert torch.allclose(fast.nll, slow.nll, atol=1e-5)
    assert torch.allclose(fast.margin, slow.margin, atol=1e-4)
    assert 0 < fast.redecoded.sum() < len(fast.redecoded) and fast.em.unique().numel() > 5


def test_matching_alone_gives_the_same_exact_matches(case):
    model, rows, positions, n_prefix = case
    alone = match_versions(model, None, rows, positions, n_prefix, scoring(16, 0.1))
    full = score_versions(model, rows, positions, n_prefix, scoring(16, 0.1))
    assert torch.equal(alone.em, full.em) and torch.equal(alone.redecoded, full.redecoded)
    assert alone.nll.isnan().all() and alone.margin.isnan().all()


def test_every_family_continues_shared_prefixes(any_model):
    positions = torch.tensor([0, 3, 6, 7])
    rows = perturbed(own_paragraphs(any_model, 20), positions, 2)
    found = score_versions(any_model, rows, positions, N_PREFIX, scoring(16, 0))
    slow = paragraph_scores.teacher_forced(any_model, rows.flatten(0, 1), N_PREFIX, 100)
    decided = slow.margin > 1e-4
    assert torch.equal(found.em[decided], slow.em[decided]) and decided.float().mean() > 0.9
    assert torch.allclose(found.nll, slow.nll, atol=1e-5)


def test_matches_are_those_of_whole_passes(case):
    model, rows, positions, n_prefix = case
    everything = torch.ones(rows.shape[:2], dtype=torch.bool)
    em, margins, lead = perturbed_prefixes.run_versions(
        match_batch, model, rows, positions, n_prefix, everything, 16
    )
    scores = paragraph_scores.teacher_forced(model, rows.flatten(0, 1), n_prefix, 100)
    assert torch.equal(em, scores.em) and torch.allclose(margins, scores.margins, atol=1e-4)
    with torch.no_grad():
        states = teacher_forcing.continuation_states(model, rows.flatten(0, 1), n_prefix)
        logits = model.get_output_embeddings()(states)
    true = rows.flatten(0, 1)[:, n_prefix:, None]
    others = logits.scatter(-1, true, -torch.inf).amax(-1)
    ahead = (logits.gather(-1, true)[..., 0] - others).abs()
    for row, n, found in zip(ahead, em.tolist(), lead.tolist(), strict=True):
        assert found == pytest.approx(row[: n + 1].min().item(), abs=1e-4)


def test_some_versions_are_run_as_if_all_were(case):
    model, rows, positions, n_prefix = case
    everything = torch.ones(rows.shape[:2], dtype=torch.bool)
    some = torch.rand(rows.shape[:2], generator=random(5)) < 0.3
    some[:, 1] = False
    of_all = perturbed_prefixes.run_versions(match_batch, model, rows, positions, n_prefix, everything, 16)
    of_some = perturbed_prefixes.run_versions(match_batch, model, rows, positions, n_prefix, some, 7)
    for left, right in zip(of_all, of_some, strict=True):
        assert torch.allclose(left[some.flatten()], right, atol=1e-4)


def test_only_what_is_not_decided_is_unembedded(memorized_versions):
    model, rows, positions, n_prefix = memorized_versions
    n_unembedded = []
    model.get_output_embeddings().register_forward_hook(
        lambda module, inputs, output: n_unembedded.append(len(inputs[0]))
    )
    em = match_versions(model, None, rows, positions, n_prefix, scoring(16, 0.0)).em
    at_most = torch.tensor([8 if n < 8 else 12 for n in em.tolist()])
    assert sum(n_unembedded) == at_most.sum() < em.numel() * 12


@pytest.mark.parametrize("factor", [None, 1.0, 1.001, 1.02])
def test_screening_changes_no_exact_match(case, factor, monkeypatch):
    """On thousands of rows, with and without ties and near-ties (tokens with nearly the same logits)."""
    model, rows, positions, n_prefix = case
    monkeypatch.setattr(screening, "MOST_UNSURE", 1.0)  # screened however little it saves
    if factor is not None:
        twin(model, factor)
    sure = score_versions(model, rows, positions, n_prefix, scoring(16, 1e-3))
    screen = screening_model(model)
    screened = match_versions(model, screen, rows, positions, n_prefix, scoring(16, 1e-3))
    assert len(sure.em) >= 1000 and torch.equal(screened.em, sure.em)


def test_the_trusted_lead_is_twelve_standard_deviations_of_what_rounding_does(
    memorizing_model, memorized_tokens, monkeypatch
):
    """Leads by hand, from the logits of whole passes."""
    monkeypatch.setattr(screening, "MOST_UNSURE", 1.0)
    screen, leads = screening_model(memorizing_model), []
    with torch.no_grad():
        for model in (memorizing_model, screen):
            logits = model(memorized_tokens).logits[:, 11:-1].float()
            true = memorized_tokens[:, 12:, None]
            others = logits.scatter(-1, true, -torch.inf)
            leads.append(logits.gather(-1, true)[..., 0] - others.amax(dim=-1))
    error = (leads[0] - leads[1]).flatten().double()
    found = screening.least_sure_lead(memorizing_model, screen, memorized_tokens, 12)
    assert found == pytest.approx(12 * (sum(error**2) / len(error)).sqrt().item(), rel=0.05)
    assert error.abs().mean() < 0.9 * error.square().mean().sqrt()


@pytest.fixture
def n_run(monkeypatch):
    """Versions that are run, by the dtype of the model that runs them."""
    found = Counter()

    def counted(one, rows, *arguments, **options):
        found[one.dtype] += len(rows)
        return match_batch(one, rows, *arguments, **options)

    monkeypatch.setattr(perturbed_prefixes, "match_batch", counted)
    return found


def test_screening_decides_most_versions_of_memorized_paragraphs(memorized_versions, n_run):
    model, rows, positions, n_prefix = memorized_versions
    screen = screening_model(model)
    match_versions(model, screen, rows, positions, n_prefix, scoring(16, 1e-3))
    n_versions = rows[..., 0].numel()
    assert n_run[torch.bfloat16] > 0.8 * n_versions and 0 < n_run[torch.float32] < 0.5 * n_versions


def test_versions_that_screening_would_leave_unsure_are_not_screened(memorized_versions, n_run, monkeypatch):
    model, rows, positions, n_prefix = memorized_versions
    monkeypatch.setattr(screening, "N_DEVIATIONS", 1e6)
    screen = screening_model(model)
    match_versions(model, screen, rows, positions, n_prefix, scoring(16, 1e-3))
    assert n_run == {torch.float32: rows[..., 0].numel()}


def test_bfloat16_alone_decides_otherwise(memorized_versions, monkeypatch):
    """What the test above would miss if nothing were confirmed."""
    model, rows, positions, n_prefix = memorized_versions
    monkeypatch.setattr(screening, "N_DEVIATIONS", 0)
    sure = score_versions(model, rows, positions, n_prefix, scoring(16, 1e-3))
    screen = screening_model(model)
    screened = match_versions(model, screen, rows, positions, n_prefix, scoring(16, 1e-3))
    assert not torch.equal(screened.em, sure.em)


@pytest.mark.parametrize("screened", [False, True])
def test_a_micro_batch_is_matched_as_if_it_were_alone(memorized_versions, screened):
    model, rows, positions, n_prefix = memorized_versions
    screen = screening_model(model) if screened else None
    options = (n_prefix, scoring(20, 0.5))
    whole = match_versions(model, screen, rows, positions, *options)
    parts = [match_versions(model, screen, part, positions, *options) for part in rows.split([40, 80, 120])]
    for name in ("em", "redecoded"):
        assert torch.equal(getattr(whole, name), torch.cat([getattr(part, name) for part in parts]))


def test_screening_pays_where_bfloat16_is_native_and_the_model_whole_and_of_another_type(
    tiny_gpt_neo, monkeypatch
):
    for native in (False, True):
        monkeypatch.setattr(screening, "native_bfloat16", lambda device, native=native: native)
        assert screening_pays(tiny_gpt_neo) == native
    assert screening_model(tiny_gpt_neo).dtype == torch.bfloat16
    assert tiny_gpt_neo.dtype == torch.float32
    tiny_gpt_neo.hf_device_map = {"transformer.h.0": 0, "transformer.h.1": 1}
    assert not screening_pays(tiny_gpt_neo)
    del tiny_gpt_neo.hf_device_map
    assert not screening_pays(tiny_gpt_neo.bfloat16())
