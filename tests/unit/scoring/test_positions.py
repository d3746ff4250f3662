"""Scores of paragraphs at other positions and after other text."""

import numpy as np
import pandas as pd
import pytest
import torch
from plain_decoding import matching, mean_nll

from memloc.model.subject import Subject
from memloc.scoring.paragraph_scores import teacher_forced
from memloc.scoring.positions import (
    Other,
    after_half,
    at_start,
    drawn_text,
    position_scores,
    shifted_scores,
    stands,
    unrelated_text,
)
from memloc.settings.positions import Positions
from tiny_models import VOCABULARY

N_PREFIX, END_OF_TEXT = 5, 3
HOW = Positions(n_paragraphs=7, lengths=[1, 4, 60], draws=2)
TEXT = np.arange(90) % VOCABULARY
OTHER = Other(TEXT, END_OF_TEXT)


def subject(model, before=None):
    return Subject(model, N_PREFIX, 3, before)


def scores_of(subject, tokens, how=HOW):
    start = teacher_forced(subject, tokens)
    places = [
        at_start(pd.DataFrame({"em": start.em, "nll": start.nll})),
        *position_scores(subject, tokens, OTHER, how, np.random.default_rng(0)),
    ]
    return pd.concat(places).rename_axis("row").reset_index()


def plain_scores(model, before, tokens, n_prefix=N_PREFIX):
    """Exact match and NLL of a paragraph after a text, from the plain logits."""
    text, n_prefix = torch.cat([before, tokens])[None], len(before) + n_prefix
    best = model(text).logits[:, n_prefix - 1 : -1].argmax(dim=-1)
    return matching(best, text[:, n_prefix:]).item(), mean_nll(model, text, n_prefix).item()


def test_places_reach_as_far_as_the_models_positions():
    assert [tuple(stand) for stand in stands(HOW, 52, True, False)] == [
        ("end_of_text", 1, 0),
        ("text", 1, 0),
        ("text", 1, 1),
        ("text", 4, 0),
        ("text", 4, 1),
        ("shifted", 4, 0),
    ]
    assert not list(stands(HOW, 0, True, False))
    assert "end_of_text" not in {stand.context for stand in stands(HOW, 9, False, False)}


def test_scores_are_those_of_the_plain_logits_after_the_text(tiny_model, tiny_tokens):
    found = scores_of(subject(tiny_model), tiny_tokens).set_index(["context", "n_before", "draw", "row"])
    draws = np.random.default_rng(0)
    texts = {
        ("start", 0, 0): torch.zeros(7, 0, dtype=torch.int64),
        ("end_of_text", 1, 0): torch.full((7, 1), END_OF_TEXT),
    }
    for n_before, draw in ((1, 0), (1, 1), (4, 0), (4, 1)):
        texts["text", n_before, draw] = drawn_text(TEXT, 7, n_before, draws)
    for stand, before in texts.items():
        for row in range(7):
            em, nll = plain_scores(tiny_model, before[row], tiny_tokens[row])
            assert found.loc[(*stand, row), "em"] == em
            assert found.loc[(*stand, row), "nll"] == pytest.approx(nll, abs=1e-5)
    assert len(found) == 7 * 7


def test_a_token_before_the_prefix_stands_first_everywhere_but_in_a_bare_place(tiny_gpt2, tiny_tokens):
    how = HOW.model_copy(update={"lengths": [4, 51, 52]})
    found = scores_of(subject(tiny_gpt2, 9), tiny_tokens, how)
    found = found[found["row"] == 2].set_index(["context", "n_before", "draw"])["nll"]
    draws = np.random.default_rng(0)
    drawn_text(TEXT, 7, 0, draws)
    text = drawn_text(TEXT, 7, 4, draws)[2]
    places = {
        ("bare", 0, 0): torch.tensor([], dtype=torch.int64),
        ("end_of_text", 1, 0): torch.tensor([END_OF_TEXT]),
        ("text", 4, 0): torch.cat([torch.tensor([9]), text]),
    }
    for place, before in places.items():
        assert found[place] == pytest.approx(plain_scores(tiny_gpt2, before, tiny_tokens[2])[1], abs=1e-5)
    assert found.index.get_level_values("n_before").max() == 51  # the token takes a position, too


@pytest.mark.parametrize("before", [None, 9])
def test_without_the_first_half_of_a_prefix_scores_are_those_of_the_rest(tiny_gpt2, tiny_tokens, before):
    found = after_half(subject(tiny_gpt2, before), tiny_tokens)
    first = torch.tensor([] if before is None else [before], dtype=torch.int64)
    for row, tokens in zip(found.itertuples(), tiny_tokens, strict=True):
        em, nll = plain_scores(tiny_gpt2, first, tokens[2:], N_PREFIX - 2)
        assert (row.context, row.em) == ("half_prefix", em) and row.nll == pytest.approx(nll, abs=1e-5)


def test_shifted_ids_are_positions_later_in_a_text(tiny_gpt_neo, tiny_tokens):
    """The learned vectors of positions 9 to 20 in the places of 0 to 11."""
    shifted = shifted_scores(subject(tiny_gpt_neo), tiny_tokens, 9)
    with torch.no_grad():
        learned = tiny_gpt_neo.transformer.wpe.weight
        learned[:12] = learned[9:21].clone()
    moved = teacher_forced(subject(tiny_gpt_neo), tiny_tokens)
    assert shifted.em.tolist() == moved.em.tolist()
    torch.testing.assert_close(shifted.nll, moved.nll)


def test_unrelated_text_is_long_enough():
    assert unrelated_text([[1, 2], [3]], 2).tolist() == [1, 2, 3]
    assert unrelated_text([[1, 2], [3]], 7).tolist() == [1, 2, 3] * 3
