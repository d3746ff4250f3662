"""Prefixes of which a few tokens are kept against building and decoding each of them by itself."""

import numpy as np
import pandas as pd
import pytest
import torch
from plain_decoding import matching, mean_nll
from plain_runs import decode

from memloc.model.subject import Subject
from memloc.perturbation.kept_tokens import costliest_first, keep_tokens
from memloc.perturbation.replaced_tokens import Texts, draw_replacements, perturb_prefixes
from memloc.run.seeds import generator
from memloc.settings.perturbation import Perturbation
from memloc.tables.columns import Lengths
from memloc.tables.schemas import schema_of
from memloc.tables.validation import validate

N_PREFIX, N_VOCABULARY, DRAWS, SEED = 12, 64, 2, 3
THRESHOLD = 1e-4


@pytest.fixture
def case(memorizing_model, memorized_tokens):
    return memorizing_model, np.arange(40, 44), memorized_tokens[:4]


@pytest.fixture
def perturbation(case):
    model, *texts = case
    given = Texts(*texts, N_VOCABULARY), Perturbation(draws=2), THRESHOLD, SEED
    return perturb_prefixes(Subject(model, N_PREFIX, 7), *given)


def keep(case, perturbation, before=None, seed=SEED):
    model, ids, tokens = case
    texts, subject = Texts(ids, tokens, N_VOCABULARY), Subject(model, N_PREFIX, 7, before)
    return keep_tokens(subject, perturbation, texts, DRAWS, THRESHOLD, seed)


def plain_order(perturbation, name):
    """Positions by the mean NLL of their perturbed rows, largest first."""
    costs = []
    for position in range(N_PREFIX):
        rows = perturbation[(perturbation.id == name) & (perturbation.position == position)]
        costs.append((-sum(rows.nll_original) / len(rows), position))
    return [position for _, position in sorted(costs)]


@pytest.mark.parametrize("before", [None, 9])
def test_every_version_equals_building_and_decoding_it(case, perturbation, before):
    model, ids, tokens = case
    frame = keep(case, perturbation, before=before)
    first = [] if before is None else [before]
    for name, own in zip(ids, tokens.tolist(), strict=True):
        random = generator(SEED, "kept_tokens", str(name))
        replacements = draw_replacements(np.array(own[:N_PREFIX]), N_VOCABULARY, DRAWS, random)
        orders = [random.permutation(N_PREFIX) for _ in range(DRAWS)]
        for row in frame[frame.id == name].itertuples():
            order = orders[row.draw] if row.kept == "random" else plain_order(perturbation, name)
            stays = set(order[: row.n_kept])
            prefix = [own[at] if at in stays else int(replacements[row.draw, at]) for at in range(N_PREFIX)]
            assert sum(a == b for a, b in zip(prefix, own, strict=False)) == row.n_kept
            stands, true = torch.tensor([first + prefix]), torch.tensor([own[N_PREFIX:]])
            assert row.em == matching(decode(model, stands, true.shape[1]), true).item()
            nll = mean_nll(model, torch.cat([stands, true], dim=1), stands.shape[1]).item()
            assert row.nll == pytest.approx(nll, abs=2e-5)
    keys = frame[["id", "kept", "n_kept", "draw"]]
    assert len(keys.drop_duplicates()) == len(frame) == 4 * 2 * 4 * DRAWS
    assert frame.n_kept.unique().tolist() == [1, 2, 5, 10]  # fewer than the prefix has
    lengths = Lengths(paragraph=24, prefix=N_PREFIX)
    assert len(validate(schema_of("kept_tokens"), frame, lengths)) == len(frame)


def test_the_costliest_come_first_by_nll_or_else_by_exact_match():
    rows = [(7, -1, 0, 9, 9.0), (7, 0, 0, 5, 1.0), (7, 0, 1, 5, 3.0), (7, 1, 0, 5, 2.5), (7, 1, 1, 5, 2.5)]
    rows += [(7, 3, 0, 4, 2.0), (7, 3, 1, 4, 2.0), (2, 0, 0, 5, 0.5), (2, 1, 0, 5, 0.7), (2, 3, 0, 6, 0.1)]
    frame = pd.DataFrame(rows, columns=["id", "position", "draw", "em", "nll_original"])
    found = costliest_first(frame, np.array([2, 7]), 4)  # position 2 was never perturbed
    assert found.tolist() == [[1, 0, 3, 2], [1, 0, 3, 2]]
    found = costliest_first(frame.assign(nll_original=np.nan), np.array([2, 7]), 4)
    assert found.tolist() == [[0, 1, 3, 2], [3, 0, 1, 2]]
