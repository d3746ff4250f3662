"""Runs of tokens in texts, by one comparison after the other."""

from collections.abc import Sequence


def places_of(run: Sequence[int], text: Sequence[int]) -> list[int]:
    """Where a text holds a run, at any offset."""
    run, text = list(run), list(text)
    return [at for at in range(len(text) - len(run) + 1) if text[at : at + len(run)] == run]
