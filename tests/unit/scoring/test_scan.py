"""The scan of a text against decoding from every start, with the tiny model of the stored study."""

from pathlib import Path

import numpy as np
import pytest
import torch
from plain_decoding import generate

from memloc.data.own_text import END
from memloc.model.pretrained import read_model
from memloc.model.subject import Subject
from memloc.run.progress import Progress
from memloc.scoring.passages import IMPOSSIBLE, SKIPPED, worth_decoding
from memloc.scoring.scan import UNKNOWN, Scan
from memloc.settings.scores import Scoring
from read_tables import read

STORED = Path(__file__).parents[2] / "rules/stored"
LENGTH, PREFIX, N_POSITIONS = 24, 12, 64
N = LENGTH - PREFIX


@pytest.fixture(scope="module")
def model():
    return read_model(STORED / "model")


@pytest.fixture(scope="module")
def paragraphs():
    """Tokens of all paragraphs, of which the model recites some."""
    return np.stack(read(STORED, "paragraphs")["tokens"])


@pytest.fixture(params=["side by side", "within other text", "cut and joined"])
def tokens(request, paragraphs):
    """A text of one document, of many, or of a few that paragraphs begin and end at any place of."""
    random = np.random.default_rng(0)
    if request.param == "side by side":
        return np.array([*paragraphs.flatten(), END])
    if request.param == "within other text":
        around = random.integers(1, 300, size=(len(paragraphs), 2, 7))
        documents = [
            [*before, *row, *after, END] for row, (before, after) in zip(paragraphs, around, strict=True)
        ]
        return np.concatenate(documents)
    joined = np.concatenate(
        [row[: random.integers(14, 25)] for row in paragraphs[random.permutation(len(paragraphs))]]
    )
    return np.concatenate([[*some, END] for some in np.split(joined, [30, 41, 500, 520, 1100])])


@pytest.fixture(autouse=True)
def looked_at(monkeypatch):
    """Every third token is looked at first."""
    monkeypatch.setattr("memloc.scoring.scan.LOOKED_AT", N // 3)


def scan_of(model, tokens, before=None, micro_batch=4):
    return Scan(
        Subject(model, PREFIX, micro_batch, before), tokens, LENGTH, N_POSITIONS, Scoring().margin_threshold
    )


def found_by(scan, doubts=None, decoded=None, kept=lambda starts: starts):
    """First token, end, and tokens at once of every passage."""
    state = (np.zeros(len(scan.tokens), np.uint8) if each is None else each for each in (doubts, decoded))
    return scan.passages(*state, kept).tolist()


def continued(model, prefixes, n, before):
    """Greedy continuations by `n` tokens, each prefix after the token `before`, if there is one."""
    return generate(model, torch.tensor([[*before, *prefix.tolist()] for prefix in prefixes]), n).numpy()


def plain_passages(model, tokens, before=()):
    """Decode from every start, and mark what comes out right."""
    windows = {start: tokens[start : start + LENGTH] for start in range(len(tokens) - LENGTH + 1)}
    windows = {start: window for start, window in windows.items() if END not in window}
    decoded = continued(model, [window[:PREFIX] for window in windows.values()], N, before)
    covered = np.zeros(len(tokens) + 1, bool)
    for (start, window), tokens_of_model in zip(windows.items(), decoded, strict=True):
        if (tokens_of_model == window[PREFIX:]).all():
            covered[start + PREFIX : start + LENGTH] = True
    passages = []
    for first in np.flatnonzero(covered[1:] & ~covered[:-1]) + 1:
        end = first + int(np.argmin(covered[first:]))
        n = min(end - first, N_POSITIONS - PREFIX - len(before))
        right = continued(model, [tokens[first - PREFIX : first]], n, before)[0] == tokens[first : first + n]
        passages.append([first, end, n if right.all() else int(np.argmin(right))])
    return passages


def test_the_scan_finds_what_decoding_from_every_start_finds(model, tokens):
    expected = plain_passages(model, tokens)
    assert len(expected) >= 3 and found_by(scan_of(model, tokens)) == expected


def test_a_token_may_stand_before_every_prefix_and_pieces_may_be_of_any_size(model, tokens):
    expected = plain_passages(model, tokens, (0,))
    for micro_batch in (1, 100):
        assert found_by(scan_of(model, tokens, 0, micro_batch)) == expected


def test_doubts_grow_with_the_distance_from_the_first_choice(model, tokens):
    scan, doubts = scan_of(model, tokens), np.zeros(len(tokens), np.uint8)
    found_by(scan, doubts)
    expected = np.full(len(tokens), float(IMPOSSIBLE))
    for at in np.flatnonzero(tokens != END):
        if at >= PREFIX:
            first = (at - PREFIX) // (scan.width - PREFIX) * (scan.width - PREFIX)
            with torch.no_grad():
                chances = (
                    model(torch.tensor(np.maximum(tokens[first:at], 0))[None]).logits[0, -1].log_softmax(-1)
                )
            expected[at] = min(2 + 10 * float(chances.max() - chances[tokens[at]]), IMPOSSIBLE)
    skipped = doubts == SKIPPED
    assert np.abs(doubts - expected)[~skipped].max() < 0.51 and 0.1 < (doubts == 2).mean() < 0.9
    worth, wanted = (worth_decoding(each, tokens, LENGTH, PREFIX) for each in (doubts, np.rint(expected)))
    assert skipped.any() and len(worth) and worth.tolist() == wanted.tolist()


def test_what_is_known_is_not_run_again(model, tokens, monkeypatch):
    scan, doubts, decoded = scan_of(model, tokens), *np.zeros((2, len(tokens)), np.uint8)
    found = found_by(scan, doubts, decoded)
    lost, judge, asked = doubts.copy(), Scan.judge, []
    lost[-5:] = UNKNOWN
    monkeypatch.setattr(Scan, "judge", lambda *given: asked.extend(given[1]) or judge(*given))
    assert found_by(scan, lost, decoded.copy()) == found and (lost == doubts).all()
    assert min(asked) >= len(tokens) - 4 * scan.n_new and max(asked) >= len(tokens) - scan.n_new
    monkeypatch.setattr("memloc.scoring.scan._below", None)
    monkeypatch.setattr(Scan, "_n_right", lambda self, some, length: np.full(len(some), 7))
    assert [passage[:2] for passage in found_by(scan, lost, decoded)] == [passage[:2] for passage in found]


def test_how_many_windows_are_left_to_decode_is_a_limit(model, tokens, monkeypatch):
    told = []
    monkeypatch.setattr(Progress, "at", lambda self, done, about="", most=None: told.append((done, most)))
    found_by(scan_of(model, tokens, micro_batch=100))
    done, most = zip(*[each for each in told if each[1]], strict=True)
    assert len(done) > 3 and list(done) == sorted(done) and min(most) >= done[-1]
    assert list(most) == sorted(most, reverse=True) and most[-1] < most[0]
