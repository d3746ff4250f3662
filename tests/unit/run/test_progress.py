"""A long rule says now and then how far it is, and how long it will take."""

import pytest

from memloc.run import progress
from memloc.run.progress import Progress


@pytest.fixture
def clock(monkeypatch):
    """Seconds on the clock, which stands still until a test moves it."""
    seconds = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: seconds[0])
    return seconds


def said(capsys):
    return capsys.readouterr().out.splitlines()


@pytest.mark.parametrize(
    ("had", "seconds", "at", "left"), [(1, 100, 251, "5.0 min"), (801, 20, 821, "3.0 min")]
)
def test_a_line_has_number_and_remaining_time(clock, capsys, had, seconds, at, left):
    """What a resumed rule had done takes no time."""
    steps = Progress(1000, "steps")
    steps.at(had)
    clock[0] += seconds
    steps.at(at, "loss 2.5")
    (line,) = said(capsys)
    assert line.endswith(f"] {at} of 1000 steps, {left} left; loss 2.5")


def test_lines_are_seconds_apart_and_the_last_one_comes(clock, capsys):
    pairs = Progress(50, "pairs")
    for _ in range(50):
        clock[0] += 1
        pairs.advance()
    assert [int(line.split(" of ")[0].split()[-1]) for line in said(capsys)] == [*range(5, 51, 5)]


def test_what_is_left_is_told_once_a_second_item_says_how_long_one_takes(clock, capsys):
    windows = Progress(1000, "windows")
    clock[0] += 20
    windows.advance(100)
    assert said(capsys) == []
    clock[0] += 5
    windows.advance(100)
    assert said(capsys)[-1].endswith("] 200 of 1000 windows, 40 s left")


def test_nothing_is_left_of_a_single_item_and_of_nothing_nothing_is_said(clock, capsys):
    Progress(0, "windows").advance(0)
    Progress(1, "pairs").advance()
    (line,) = said(capsys)
    assert line.endswith("] 1 of 1 pairs, 0 s left")


def test_of_a_total_that_nobody_knows_a_limit_is_told(clock, capsys):
    windows = Progress(0, "windows")
    windows.at(10, most=1000)
    clock[0] += 20
    windows.at(110, most=510)
    windows.at(200, most=200)
    (line,) = said(capsys)
    assert line.endswith("] 110 of at most 510 windows, at most 1.3 min left")
