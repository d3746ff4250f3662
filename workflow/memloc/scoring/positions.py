"""Is a paragraph recited wherever it stands? Its scores at other positions and after other text.

The paper scores a paragraph from position 0 with nothing before it. In a corpus it stands anywhere, after
other documents. Each paragraph is therefore scored

    start        as in the paper, or after the token of setting `paragraph.before`
    bare         without that token, if there is one
    end_of_text  after one end-of-text token, as at the beginning of a document
    text         after k tokens of unrelated text
    shifted      with nothing before it, and position ids that begin at the largest k
    half_prefix  as at the start, but without the first half of its prefix

A model with rotary positions sees distances alone, so shifted ids change nothing but rounding.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from jaxtyping import Int
from torch import Tensor

from memloc.model.subject import Subject, Tokens
from memloc.scoring.paragraph_scores import Scores, concatenated, scores_of_states
from memloc.settings.positions import Positions


class Stand(NamedTuple):
    """Where paragraphs stand: the kind of place, how many positions later, and which draw of text."""

    context: str
    n_before: int
    draw: int


class Other(NamedTuple):
    """Other text that can stand before a paragraph."""

    unrelated: Int[np.ndarray, "unrelated"]
    """Tokens of other text, one text after the other."""
    end_of_text: int | None
    """The end-of-text token; None: no paragraph is scored after one."""


def position_scores(
    subject: Subject, tokens: Tokens, other: Other, how: Positions, rng: np.random.Generator
) -> Iterator[pd.DataFrame]:
    """Exact match (tokens) and NLL (nats per token) of paragraphs in every place but the start, a frame each.

    The subject's token `before` stands first in all places but `bare` and `end_of_text`. Columns, with a row
    for every paragraph: context, n_before, draw, em, nll.
    """
    room = subject.model.config.max_position_embeddings - tokens.shape[1]
    for stand in stands(how, room, other.end_of_text is not None, subject.before is not None):
        text = _text_before(subject, stand, len(tokens), other, rng)
        shift = stand.n_before if stand.context == "shifted" else 0
        yield _frame(stand, subject, torch.cat([text, tokens], dim=1), text.shape[1], shift)


def at_start(scores: pd.DataFrame) -> pd.DataFrame:
    """The frame of the first place; `scores` has the rows of table `scores`, a paragraph each."""
    return scores[["em", "nll"]].reset_index(drop=True).assign(**Stand("start", 0, 0)._asdict())


def after_half(subject: Subject, tokens: Tokens) -> pd.DataFrame:
    """The frame of paragraphs that lack the first half of their prefix, after the token `before` or none."""
    rows = subject.preceded(tokens[:, subject.n_prefix // 2 :])
    return _frame(Stand("half_prefix", 0, 0), subject, rows, rows.shape[1] - tokens.shape[1])


def _frame(stand: Stand, subject: Subject, rows: Tokens, n_before: int, shift: int = 0) -> pd.DataFrame:
    """The frame of paragraphs that stand there, with so many more tokens before the continuation."""
    scores = shifted_scores(replace(subject, n_prefix=subject.n_prefix + n_before), rows, shift)
    return pd.DataFrame({**stand._asdict(), "em": scores.em, "nll": scores.nll})


def stands(how: Positions, room: int, end_of_text: bool, token_first: bool) -> Iterator[Stand]:
    """Every other place where a paragraph fits; the model has `room` more positions than the paragraph.

    Args:
        end_of_text: whether there is an end-of-text token.
        token_first: whether a token stands before every prefix.
    """
    lengths = [length for length in how.lengths if length + token_first <= room]
    if token_first:
        yield Stand("bare", 0, 0)
    if end_of_text and room:
        yield Stand("end_of_text", 1, 0)
    for length in lengths:
        yield from (Stand("text", length, draw) for draw in range(how.draws))
    if lengths:
        yield Stand("shifted", max(lengths), 0)


def _text_before(
    subject: Subject, stand: Stand, n: int, other: Other, rng: np.random.Generator
) -> Int[Tensor, "paragraph text"]:
    """The tokens that stand before each of n paragraphs."""
    if stand.context == "end_of_text":
        return torch.full((n, 1), other.end_of_text)
    text = drawn_text(other.unrelated, n, stand.n_before if stand.context == "text" else 0, rng)
    return text if stand.context == "bare" else subject.preceded(text)


def drawn_text(
    unrelated: Int[np.ndarray, "unrelated"], n: int, length: int, rng: np.random.Generator
) -> Int[Tensor, "text token"]:
    """`n` runs of tokens from random places of the unrelated text."""
    starts = rng.integers(len(unrelated) - length + 1, size=(n, 1))
    return torch.from_numpy(unrelated[starts + np.arange(length)])


def shifted_scores(subject: Subject, tokens: Tokens, shift: int) -> Scores:
    """Scores of paragraphs whose position ids begin at `shift` instead of 0."""
    model, n_prefix = subject.model, subject.n_prefix
    positions = torch.arange(shift, shift + tokens.shape[1] - 1, device=model.device)[None]

    @torch.inference_mode()
    def of_rows(rows: Tokens) -> Scores:
        output = model.base_model(rows[:, :-1], position_ids=positions, use_cache=False)
        return scores_of_states(subject, output.last_hidden_state[:, n_prefix - 1 :], rows[:, n_prefix:])

    return concatenated(subject.in_batches(of_rows, tokens))


def unrelated_text(tokens: Sequence[Sequence[int]], least: int) -> Int[np.ndarray, "unrelated"]:
    """The texts joined, and repeated until there are `least` tokens."""
    text = np.concatenate([np.asarray(row, dtype=np.int64) for row in tokens])
    return np.tile(text, -(-least // len(text)))
