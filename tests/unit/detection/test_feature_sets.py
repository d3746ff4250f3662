"""Table prefix_features holds what was measured, and comes back as the sets that classifiers see."""

import zlib

import numpy as np
import pandas as pd
import pytest
import torch

from memloc.detection.feature_sets import TOGETHER, feature_sets
from memloc.detection.features import PrefixFeatures
from memloc.detection.prefix_table import feature_frames, scalar_features
from memloc.tables.columns import Lengths
from memloc.tables.schemas import schema_of
from memloc.tables.validation import validate

N_SEEN = [4, 12]
IDS = np.array([7, 3, 9])
PREFIX = np.random.default_rng(0).integers(0, 40, (3, 12))


@pytest.fixture
def found():
    random = torch.Generator().manual_seed(0)
    return PrefixFeatures(*(torch.rand(size, generator=random) for size in [(3, 11), (3, 2, 5)]))


def test_baselines_are_those_of_their_definitions(found):
    texts = [["spam and eggs" * n for n in (1, 5)]] * 3
    n_bytes = np.array([[len(zlib.compress(text.encode())) for text in row] for row in texts])
    scalars = scalar_features(found, n_bytes, N_SEEN)
    for row in range(3):
        nll = found.nll[row].double().numpy()
        for lead, n in enumerate(N_SEEN):
            seen = nll[: n - 1]
            n_least = int(np.ceil(0.2 * (n - 1)))
            expected = {
                "nll": seen.mean(),
                "min_k": np.sort(seen)[-n_least:].mean(),
                "zlib": seen.sum() / n_bytes[row, lead],
            }
            assert {name: values[row, lead] for name, values in scalars.items()} == pytest.approx(expected)


def test_what_is_written_comes_back_in_the_order_that_is_asked_for(found):
    scalars = {"nll": np.arange(6.0).reshape(3, 2), "zlib": np.ones((3, 2))}
    frames = list(feature_frames(IDS, found, scalars, N_SEEN))
    table = validate(schema_of("prefix_features"), pd.concat(frames), Lengths(24, 12))
    pieces = [table.iloc[start : start + 17] for start in range(0, len(table), 17)]
    order = [1, 0, 2]
    sets = feature_sets(pieces, IDS[order], PREFIX[order], np.array([0, 1, 9]))
    assert sorted(sets) == [4, 12]
    np.testing.assert_allclose(sets[4]["residual"], found.residual[order, 0], rtol=1e-6)
    np.testing.assert_allclose(sets[12]["residual"], found.residual[order, 1], rtol=1e-6)
    assert sets[4]["nll"].ravel().tolist() == [2, 0, 4]
    assert sets[12]["exposure"].ravel() == pytest.approx(np.log([1, 2, 10]))
    np.testing.assert_array_equal(sets[12][TOGETHER], np.hstack([sets[12]["nll"], sets[12]["residual"]]))
    words = sets[4]["bag_of_words"].toarray()
    assert words.sum(axis=1).tolist() == [4, 4, 4]
    assert all(words[0, token] >= 1 for token in PREFIX[1, :4])
