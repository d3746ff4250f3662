"""The screen of overlapping windows against a pass of its own for every token."""

import numpy as np
import pytest
import torch

from memloc.data.own_text import write_stream
from memloc.scoring import long_context
from memloc.scoring.long_context import passes, predicted_tokens

SIZE, LENGTH, N_PREFIX = 8, 6, 2


def first_choice(model, ids, before):
    """The token that follows, from a piece of the text: half of one and more, or all."""
    half = SIZE // 2
    start = max(0, (len(ids) - half) // half * half)
    with torch.no_grad():
        return int(model(torch.tensor([[*before, *ids[start:]]])).logits[0, -1].argmax())


def documents(model, before):
    """Texts of several lengths, none among them, each token the model's own or a random one."""
    random = np.random.default_rng(0)
    for length in (0, 1, 9, 4, 2, 23, 13, 0, 31, 8, 16):
        ids = []
        while len(ids) < length:
            own = ids and random.random() < 0.5
            ids.append(first_choice(model, ids, before) if own else int(random.integers(40)))
        yield ids


@pytest.mark.parametrize(("n_pieces", "micro_batch"), [(1, 1), (3, 2), (256, 64)])
@pytest.mark.parametrize("before", [None, 5])
def test_predicted_tokens_are_those_of_passes_of_their_own(
    tiny_model, tmp_path, monkeypatch, n_pieces, micro_batch, before
):
    monkeypatch.setattr(long_context, "N_PIECES", n_pieces)
    behind = [] if before is None else [before]
    texts = list(documents(tiny_model, behind))
    with (tmp_path / "tokens").open("w+b") as file:
        stream, begins = write_stream(texts, LENGTH, 1, file)
        found = predicted_tokens(tiny_model, stream.tokens, begins, SIZE, micro_batch, before)
    expected = []
    for ids in texts:
        asked = range(1, len(ids))
        right = [first_choice(tiny_model, ids[:at], behind) == ids[at] for at in asked]
        expected += [*[False] * bool(ids), *right, False]  # the first token, and the end of the document
    assert found.tolist() == expected and 0.2 < np.mean(expected) < 0.8


@pytest.mark.parametrize("share", [0.25, 0.5, 0.75, 1.0])
def test_a_window_passes_by_the_share_of_its_continuation(tmp_path, share):
    random = np.random.default_rng(0)
    with (tmp_path / "tokens").open("w+b") as file:
        stream, _ = write_stream([list(range(30)), [1] * 3, list(range(9))], LENGTH, 2, file)
        predicted = random.random(len(stream.tokens)) < 0.7
        found = passes(predicted, stream, N_PREFIX, share)
    expected = [predicted[start + N_PREFIX : start + LENGTH].mean() >= share for start in stream.starts]
    assert found.tolist() == expected and found.any()
