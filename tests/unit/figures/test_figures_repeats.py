"""Memorization against repeats: what its caption says of unseen paragraphs."""

import numpy as np
import pandas as pd
from figure_labels import SETTINGS, checked

from memloc.figures import repeats


def tables(longest_run):
    """Thirty seen and thirty unseen paragraphs; three of the unseen ones are recited."""
    ids = np.arange(60)
    names = np.where(ids < 30, np.where(ids % 2, "memorized", "non_memorized"), "unseen")
    paragraphs = pd.DataFrame({"id": ids, "count": np.where(ids < 30, 1 + ids, 0)})
    paragraphs = paragraphs.assign(continuation_count=pd.array([None] * 60, "Int64"))
    return {
        "paragraphs": paragraphs.assign(longest_run=pd.array(longest_run, "Int64")),
        "sets": pd.DataFrame({"id": ids, "set": names}),
        "scores": pd.DataFrame({"id": ids, "em": np.where((ids > 56) | (names == "memorized"), 50, 0)}),
    }


def test_unseen_paragraphs_that_share_no_run_with_the_text_are_told_apart():
    text = checked("repeats", repeats.draw(tables([100] * 30 + [12] * 20 + [13] * 10), SETTINGS))
    assert "Of 30 unseen paragraphs, the model recites 10.0 (" in text
    assert "Of the 20 that share no run of 13 tokens with the training text: 0 (" in text


def test_without_runs_nothing_is_said_of_them():
    assert "share no run" not in checked("repeats", repeats.draw(tables([None] * 60), SETTINGS))
