"""Non-memorized paragraphs that memorized ones are compared with; draws: test_contrastive.py."""

import numpy as np

from memloc.data.controls import draw_controls


def test_all_paragraphs_that_there_are_may_be_controls():
    for row in draw_controls(5, 4, 4, np.random.default_rng(0)).tolist():
        assert sorted(row) == [0, 1, 2, 3]
