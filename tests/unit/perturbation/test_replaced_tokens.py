"""Perturbed prefixes against decoding each of them step by step, without any cache."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
import torch
from plain_decoding import matching, mean_nll
from plain_runs import decode

from memloc.model.subject import Subject
from memloc.perturbation import replaced_tokens
from memloc.perturbation.effects import lean_to_end, strongest
from memloc.perturbation.replaced_tokens import Texts, draw_replacements
from memloc.settings.perturbation import Perturbation
from memloc.tables.columns import Lengths
from memloc.tables.schemas import schema_of
from memloc.tables.validation import validate

N_PREFIX, N_TOKENS = 8, 20
HOW = Perturbation(draws=2)
VALUES = ["em", "nll_original"]


def perturb_prefixes(model, ids, tokens, n_prefix, before=None, how=HOW, micro_batch=5, threshold=1e-4):
    subject = Subject(model, n_prefix, micro_batch, before)
    return replaced_tokens.perturb_prefixes(subject, Texts(ids, tokens, 64), how, threshold, seed=3)


def perturbed_paragraphs(frame, model, ids, tokens, n_prefix, before=None):
    subject = Subject(model, n_prefix, 2, before)
    return replaced_tokens.perturbed_paragraphs(subject, frame, Texts(ids, tokens, 64))


def how(**changes):
    return HOW.model_copy(update=changes)


def own_paragraphs(model, n):
    """Random prefixes, each with the model's greedy continuation, as those of non-memorized paragraphs."""
    prefix = torch.randint(64, (n, N_PREFIX), generator=torch.Generator().manual_seed(7))
    return torch.cat([prefix, decode(model, prefix, N_TOKENS - N_PREFIX)], dim=1)


@pytest.fixture(params=["gpt_neo", "gpt2", "gpt_neox", "llama", "memorizing"])
def case(request, memorized_tokens):
    """(model, ids, tokens, n_prefix): every tiny family on its own text, and a model with memorized text."""
    if request.param == "memorizing":
        return request.getfixturevalue("memorizing_model"), np.arange(40, 52), memorized_tokens, 12
    model = request.getfixturevalue(f"tiny_{request.param}")
    return model, np.array([31, 8, 12]), own_paragraphs(model, 3), N_PREFIX


@pytest.fixture
def memorized(memorizing_model, memorized_tokens):
    return memorizing_model, np.arange(12), memorized_tokens, 12


def perturbed_prefix(row, ids, tokens, n_prefix):
    """The prefix that a row of the table says was tried."""
    prefix = tokens[list(ids).index(row.id), :n_prefix].tolist()
    if row.position >= 0:
        prefix[row.position] = row.token
    return torch.tensor(prefix)


def after(before, prefix):
    """Prefixes after a token, if there is one."""
    return torch.tensor([[*before, *row] for row in prefix.tolist()])


def by_decoding(frame, model, ids, tokens, n_prefix, before=()):
    """EM and NLL of every row of the table, from decoding its prefix step by step."""
    prefix = torch.stack([perturbed_prefix(row, ids, tokens, n_prefix) for row in frame.itertuples()])
    prefix, n_prefix = after(before, prefix), len(before) + n_prefix
    true = torch.stack([tokens[list(ids).index(name), n_prefix - len(before) :] for name in frame.id])
    decoded = decode(model, prefix, true.shape[1])
    return pd.DataFrame(
        {
            "em": matching(decoded, true).numpy(),
            "nll_original": mean_nll(model, torch.cat([prefix, true], dim=1), n_prefix).numpy(),
        }
    )


@pytest.mark.parametrize(
    ("asked", "before", "micro_batch"), [(how(), None, 5), (how(), 9, 1), (how(reference=True), None, 1000)]
)
def test_rows_and_perturbed_paragraphs_equal_step_by_step_decoding(case, asked, before, micro_batch):
    """A token before every prefix is never perturbed, and the tables hold the paragraphs without it."""
    model, ids, tokens, n_prefix = case
    first = [] if before is None else [before]
    frame = perturb_prefixes(*case, before=before, how=asked, micro_batch=micro_batch)
    positions = range(int(asked.reference), n_prefix)
    rows = [(name, -1, 0) for name in ids] + [*product(ids, positions, range(asked.draws))]
    keys = [*frame[["id", "position", "draw"]].itertuples(index=False, name=None)]
    assert sorted(keys) == sorted(rows)
    expected = by_decoding(frame, *case, before=first)
    pd.testing.assert_frame_equal(frame[VALUES], expected[VALUES], atol=2e-5, rtol=1e-5)
    found = perturbed_paragraphs(frame, *case, before=before)
    chosen = strongest(frame).set_index("id").loc[ids].reset_index()
    chosen = chosen[chosen.em < tokens.shape[1] - n_prefix]
    columns = ["id", "position", "token", "em"]
    assert found[columns].to_numpy().tolist() == chosen[columns].to_numpy().tolist() != []
    for row, of_table in zip(found.itertuples(), chosen.itertuples(), strict=True):
        prefix = perturbed_prefix(of_table, ids, tokens, n_prefix)
        stands = after(first, prefix[None])
        decoded = decode(model, stands, tokens.shape[1] - n_prefix)
        assert row.tokens == [*prefix.tolist(), *decoded[0].tolist()]
        whole = torch.cat([stands, decoded], dim=1)
        assert row.nll == pytest.approx(mean_nll(model, whole, len(first) + n_prefix).item(), abs=2e-5)


def test_replacements_are_uniform_over_the_other_tokens():
    prefix = np.array([0, 2, 4])
    drawn = draw_replacements(prefix, 5, 20_000, np.random.default_rng(0))
    for position, token in enumerate(prefix):
        counts = np.bincount(drawn[:, position], minlength=5)
        assert counts[token] == 0
        assert np.all(np.abs(np.delete(counts, token) - 5000) < 300)  # five standard deviations


def test_near_ties_are_decided_again_in_baselines_too(memorized):
    assert perturb_prefixes(*memorized, threshold=1e6).redecoded.all()
    assert not perturb_prefixes(*memorized, threshold=0.0).redecoded.any()


def test_strongest_takes_the_first_of_ties():
    rows = [(5, -1, 0, 0), (5, 0, 0, 9), (5, 2, 0, 4), (5, 1, 1, 4), (5, 1, 0, 7), (5, 2, 1, 4)]
    rows += [(3, -1, 0, 12), (3, 1, 1, 6), (3, 1, 0, 6), (3, 0, 0, 12)]
    frame = pd.DataFrame(rows, columns=["id", "position", "draw", "em"])
    chosen = strongest(frame).set_index("id")
    assert chosen.loc[5, ["position", "draw", "em"]].tolist() == [1, 1, 4]
    assert chosen.loc[3, ["position", "draw", "em"]].tolist() == [1, 0, 6]


def test_paragraph_that_nothing_changes_has_no_perturbed_one(memorized):
    """With an unembedding of zeros every continuation is 0, 0, ..: no perturbation changes it."""
    model, ids, tokens, n_prefix = memorized
    with torch.no_grad():
        model.get_output_embeddings().weight.zero_()
    tokens = tokens.clone()
    tokens[:, n_prefix:] = 0
    frame = perturb_prefixes(model, ids, tokens, n_prefix)
    found = perturbed_paragraphs(frame, model, ids, tokens, n_prefix)
    assert len(found) == 0
    lengths = Lengths(paragraph=24, prefix=12)
    assert len(validate(schema_of("perturbed_paragraphs"), found, lengths)) == 0


def test_the_lean_to_the_end_is_a_share_of_what_both_halves_lose():
    assert lean_to_end(pd.DataFrame([[1, 0, 3, 0]])).tolist() == [0.5]
