"""Random halves of the paragraphs, and the text that is left without some of them."""

import numpy as np
import pandas as pd
import pytest

from memloc.data.packing import windows_without
from memloc.scoring.counterfactual import halves


@pytest.mark.parametrize("n_models", [2, 5, 12])
def test_every_paragraph_is_in_half_of_the_models(n_models):
    drawn = halves(n_models, 300, seed=1)
    assert drawn.shape == (n_models, 300) and (drawn.sum(axis=0) == n_models // 2).all()
    assert (halves(n_models, 300, seed=1) == drawn).all() and (halves(n_models, 300, seed=2) != drawn).any()


def test_two_paragraphs_are_together_by_chance_alone():
    drawn = halves(12, 2000, seed=0)
    together = (drawn[:, ::2] == drawn[:, 1::2]).mean()
    assert abs(together - 0.5) < 0.02


def test_what_is_left_out_is_nowhere_and_the_others_keep_their_order():
    paragraphs = pd.Series([[10 * name + place for place in range(3)] for name in range(1, 6)], range(1, 6))
    ids = [3, 1, 2, 1, 5, 4, 1, 2, 2, 5]
    stream = pd.DataFrame({"id": ids, "tokens": paragraphs.loc[ids].tolist()})
    rows = windows_without(stream, {1, 5}, end_of_text=0, context=8)
    kept = [name for name in ids if name not in (1, 5)]
    text = [token for name in kept for token in (*paragraphs[name], 0)]
    assert rows.shape[1] == 8 and rows.ravel()[: len(text)].tolist() == text
    assert not np.isin(rows, [*paragraphs[1], *paragraphs[5]]).any()
    whole = windows_without(stream, set(), 0, 8)
    assert whole.size >= 4 * len(stream) and (whole == 10).sum() == 3
