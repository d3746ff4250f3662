"""Is a paragraph recited wherever it stands? Its scores at other positions and after other text.

The paper scores a paragraph from position 0 with nothing before it. In a corpus it stands anywhere, after
other documents. Each paragraph is therefore scored

    start        as the paper does
    end_of_text  after one end-of-text token, as at the beginning of a document
    text         after k tokens of unrelated text
    shifted      with nothing before it, and position ids that begin at k

A model with rotary positions sees distances alone, so that shifting ids changes nothing but rounding.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from jaxtyping import Int
from torch import Tensor
from transformers import PreTrainedModel

from memloc.model.micro_batches import in_micro_batches
from memloc.scoring.paragraph_scores import Scores, concatenated, scores_of_states, teacher_forced
from memloc.settings.positions import Positions


class Stand(NamedTuple):
    """Where paragraphs stand: the kind of place, how many positions later, and which draw of text."""

    context: str
    n_before: int
    draw: int


def position_scores(
    model: PreTrainedModel,
    tokens: Int[Tensor, "paragraph token"],
    unrelated: Int[np.ndarray, "unrelated"],
    end_of_text: int | None,
    n_prefix: int,
    how: Positions,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Exact match (tokens) and NLL (nats per token) of every paragraph wherever it stands.

    `unrelated` are the tokens of other text, one text after the other. Without an `end_of_text` token,
    nothing stands after one. Columns: row of the paragraph, context, n_before, draw, em, nll.
    """
    frames = []
    for stand in stands(how, model.config.max_position_embeddings - tokens.shape[1], end_of_text):
        scores = _scores(model, tokens, stand, unrelated, end_of_text, n_prefix, how.micro_batch, rng)
        found = {"row": range(len(tokens)), **stand._asdict(), "em": scores.em, "nll": scores.nll}
        frames.append(pd.DataFrame(found))
    return pd.concat(frames, ignore_index=True)


def stands(how: Positions, room: int, end_of_text: int | None) -> Iterator[Stand]:
    """Every place that leaves the paragraph within the model's positions, `room` more than it has tokens."""
    lengths = [length for length in how.lengths if length <= room]
    yield Stand("start", 0, 0)
    if end_of_text is not None and room:
        yield Stand("end_of_text", 1, 0)
    for length in lengths:
        yield from (Stand("text", length, draw) for draw in range(how.draws))
    yield from (Stand("shifted", length, 0) for length in lengths)


def _scores(
    model: PreTrainedModel,
    tokens: Int[Tensor, "paragraph token"],
    stand: Stand,
    unrelated: Int[np.ndarray, "unrelated"],
    end_of_text: int | None,
    n_prefix: int,
    micro_batch: int,
    rng: np.random.Generator,
) -> Scores:
    if stand.context == "shifted":
        return shifted_scores(model, tokens, stand.n_before, n_prefix, micro_batch)
    if stand.context == "end_of_text":
        before = torch.full((len(tokens), 1), end_of_text)
    else:
        before = drawn_text(unrelated, len(tokens), stand.n_before, rng)
    return teacher_forced(model, torch.cat([before, tokens], dim=1), stand.n_before + n_prefix, micro_batch)


def drawn_text(
    unrelated: Int[np.ndarray, "unrelated"], n: int, length: int, rng: np.random.Generator
) -> Int[Tensor, "text token"]:
    """`n` runs of tokens, each from a random place of the unrelated text on."""
    starts = rng.integers(len(unrelated) - length + 1, size=(n, 1))
    return torch.from_numpy(unrelated[starts + np.arange(length)])


def shifted_scores(
    model: PreTrainedModel,
    tokens: Int[Tensor, "paragraph token"],
    shift: int,
    n_prefix: int,
    micro_batch: int,
) -> Scores:
    """Scores of paragraphs whose position ids begin at `shift` and not at 0."""
    positions = torch.arange(shift, shift + tokens.shape[1] - 1, device=model.device)[None]

    @torch.inference_mode()
    def of_rows(rows: Int[Tensor, "paragraph token"]) -> Scores:
        rows = rows.to(model.device)
        output = model.base_model(rows[:, :-1], position_ids=positions, use_cache=False)
        states = output.last_hidden_state[:, n_prefix - 1 :]
        return scores_of_states(model, states, rows[:, n_prefix:])

    return concatenated(in_micro_batches(of_rows, micro_batch, tokens))


def unrelated_text(tokens: Sequence[Sequence[int]], least: int) -> Int[np.ndarray, "unrelated"]:
    """Texts one after the other, again from the first one until there are `least` tokens."""
    text = np.concatenate([np.asarray(row, dtype=np.int64) for row in tokens])
    return np.tile(text, -(-least // len(text)))
