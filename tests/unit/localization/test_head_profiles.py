"""Profiles of heads over prefix positions: which rows they are made of, and how alike they are."""

import numpy as np
import pandas as pd
import pytest
from made_tables import crossed

from memloc.localization.head_profiles import neighbour, value_gradient_profiles

N_PREFIX = 2


def rows(**axes) -> pd.DataFrame:
    """A row for every combination, numbered from 0."""
    frame = crossed(**axes)
    return frame.assign(value=np.arange(len(frame), dtype=float))


def test_profiles_of_values_are_those_of_one_layer_of_memorized_prefixes():
    axes = {"id": [7, 5], "layer": range(2), "head": range(2), "position": range(N_PREFIX + 1)}
    table = rows(group=["perturbed", "memorized"], component=["q", "v", "pre"], **axes)
    found = value_gradient_profiles(table.rename(columns={"value": "max_abs"}), 1, N_PREFIX)
    chosen = table.query("group == 'memorized' and component == 'v' and layer == 1 and position < 2")
    expected = {key: own["value"].tolist() for key, own in chosen.groupby(["id", "head"])}
    assert len(expected) == 4
    assert dict(zip(found.index, found.to_numpy().tolist(), strict=True)) == expected


@pytest.mark.parametrize(("layer", "n_layers", "expected"), [(0, 3, 1), (1, 3, 2), (2, 3, 1), (0, 1, 0)])
def test_the_neighbour_is_the_next_layer_and_of_the_last_one_that_before(layer, n_layers, expected):
    assert neighbour(layer, n_layers) == expected
