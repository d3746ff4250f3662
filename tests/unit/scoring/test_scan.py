"""The scan of a text against decoding from every start, with the tiny model of the stored study."""

from pathlib import Path

import numpy as np
import pytest
import torch
from plain_decoding import generate

from memloc.data.own_text import END
from memloc.model.pretrained import read_model
from memloc.model.subject import Subject
from memloc.scoring.passages import run_length, worth_decoding
from memloc.scoring.scan import FIRST, OTHER, Scan
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


def scan_of(model, tokens, before=None):
    return Scan(Subject(model, PREFIX, 4, before), tokens, LENGTH, N_POSITIONS, Scoring().margin_threshold)


def found_by(scan):
    """First token, end, and tokens at once of every passage."""
    known = np.zeros((2, len(scan.tokens)), np.uint8)
    starts = worth_decoding(scan.first_choices(known, lambda n: None), scan.tokens, LENGTH, PREFIX)
    return scan.passages(starts, np.zeros(len(scan.tokens), np.uint8), lambda n: None).tolist()


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


def test_a_token_may_stand_before_every_prefix(model, tokens):
    assert found_by(scan_of(model, tokens, before=0)) == plain_passages(model, tokens, (0,))


def first_choices(model, tokens, width, offset):
    """First choices in windows of `width` tokens that begin at an offset, one window after the other."""
    found = np.zeros(len(tokens), bool)
    for first in range(offset, len(tokens), width):
        window = torch.tensor(np.maximum(tokens[first : first + width], 0))
        with torch.no_grad():
            chosen = model(window[None]).logits[0, :-1].argmax(dim=-1) == window[1:]
        found[first + 1 : first + len(window)] = chosen.numpy()
    return found & (tokens != END)


def test_no_run_of_first_choices_under_either_offset_is_missed(model, tokens):
    scan, run = scan_of(model, tokens), run_length(N)
    known = np.zeros((2, len(tokens)), np.uint8)
    worth = set(worth_decoding(scan.first_choices(known, lambda n: None), tokens, LENGTH, PREFIX))
    n_runs = 0
    for offset, row in zip((0, LENGTH), known, strict=True):
        chosen = first_choices(model, tokens, 2 * LENGTH, offset)
        assert ((row == FIRST) == chosen).all() and ((row == OTHER) == ~chosen).all()
        for first in range(PREFIX, len(tokens) - run + 1):
            if not chosen[first : first + run].all():
                continue
            holding = range(max(0, first + run - LENGTH), min(first - PREFIX, len(tokens) - LENGTH) + 1)
            whole = {start for start in holding if END not in tokens[start : start + LENGTH]}
            assert whole <= worth
            n_runs += 1
    assert n_runs > 10


def test_what_is_known_is_not_run_again(model, tokens, monkeypatch):
    scan, n_done = scan_of(model, tokens), []
    known = np.zeros((2, len(tokens)), np.uint8)
    matched = scan.first_choices(known, n_done.append)
    assert sum(n_done) == 2 * len(tokens)
    lost, before = known.copy(), n_done.copy()
    lost[1, -30:] = 0
    assert (scan.first_choices(lost, n_done.append) == matched).all() and (lost == known).all()
    assert n_done[len(before) :] == [2 * len(tokens)], "one batch, and all that was known"
    monkeypatch.setattr("memloc.scoring.scan._first_choices", None)
    assert (scan.first_choices(known, n_done.append) == matched).all()


def test_windows_that_are_decoded_are_not_decoded_again(model, tokens, monkeypatch):
    scan, decoded, n_done = scan_of(model, tokens), np.zeros(len(tokens), np.uint8), []
    starts = np.flatnonzero(tokens[: -LENGTH + 1] != END)
    starts = starts[[END not in tokens[start : start + LENGTH] for start in starts]]
    monkeypatch.setattr("memloc.scoring.scan.PIECE", 100)
    found = scan.passages(starts, decoded, n_done.append)
    assert len(found) and max(n_done) <= 100 and sum(n_done) == (decoded != 0).sum()
    monkeypatch.setattr(Scan, "_n_right", lambda self, some, length: np.full(len(some), 7))
    assert (scan.passages(starts, decoded, n_done.append)[:, :2] == found[:, :2]).all()


def test_where_nothing_is_worth_decoding_nothing_is_run_and_found(model, monkeypatch):
    monkeypatch.setattr("memloc.scoring.scan.score", None)
    scan = scan_of(model, np.array([*range(1, 60), END]))
    assert scan.passages(np.arange(0), np.zeros(60, np.uint8), lambda n: None).tolist() == []
