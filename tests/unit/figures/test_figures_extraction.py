"""Figure `extraction`: what is plotted and said is counted anew from probabilities that are made up."""

import numpy as np
import pandas as pd
import pytest
from drawn import assert_as_stored
from figure_labels import checked

from memloc.figures import extraction
from memloc.settings.sections import sections

SETTINGS = sections({"paragraph": {"length": 60, "prefix": 20}})


def tables(n_unseen):
    """400 seen paragraphs, of which every other one is likely; unseen ones are not."""
    random, n = np.random.default_rng(0), 400 + n_unseen
    ids = np.arange(n)
    unseen = ids >= 400
    log_p = np.where((ids % 2 == 0) & ~unseen, -random.gamma(1, 3, n), -random.uniform(50, 2000, n))
    truncated = np.where(ids % 5 == 4, -np.inf, np.minimum(log_p + 0.1, 0))
    em = np.where((log_p > -1) & ~unseen, 40, ids % 30)
    sets = np.where(unseen, "unseen", np.where(em == 40, "memorized", "non_memorized"))
    return {
        "extraction": pd.DataFrame({"id": ids, "log_p": truncated}),
        "scores": pd.DataFrame({"id": ids, "em": em, "nll": 1.0}),
        "sets": pd.DataFrame({"id": ids, "set": sets}),
    }


@pytest.mark.parametrize("n_unseen", [0, 60])
def test_labels_are_readable_and_the_caption_says_whether_any_is_unseen(n_unseen):
    text = checked("extraction", extraction.draw(tables(n_unseen), SETTINGS))
    assert ("No paragraph is known to be unseen" in text) == (n_unseen == 0)
    assert ("Of 60 unseen paragraphs" in text) == (n_unseen == 60)


def test_it_is_drawn_as_stored():
    assert_as_stored("extraction", extraction.draw(tables(60), SETTINGS))
