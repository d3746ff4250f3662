"""Shards: every row once, borders between micro-batches, and the same numbers for any number of shards."""

from itertools import product

import numpy as np
import pandas as pd
import pytest

from memloc.run.shards import regrouped, shard_rows


def test_shards_cover_every_row_once_in_whole_micro_batches():
    for n_rows, n_shards, micro_batch in product((0, 1, 7, 8, 100), (1, 2, 3, 50), (1, 4, 200)):
        shards = [shard_rows(n_rows, number, n_shards, micro_batch) for number in range(n_shards)]
        assert [row for shard in shards for row in shard] == list(range(n_rows))
        assert all(shard.start % micro_batch == 0 for shard in shards if shard)
        n_batches = [-(-len(shard) // micro_batch) for shard in shards]
        assert max(n_batches) - min(n_batches) <= 1


@pytest.mark.parametrize(
    ("sizes", "n_rows"), [([10], 10), ([1] * 10, 4), ([3, 0, 5, 2], 1), ([3, 0, 5, 2], 99), ([], 4)]
)
def test_rows_are_regrouped_in_order(sizes, n_rows):
    ends = np.cumsum([0, *sizes])
    frames = [pd.DataFrame({"id": range(a, b)}) for a, b in zip(ends[:-1], ends[1:], strict=True)]
    groups = list(regrouped(frames, n_rows))
    assert [value for group in groups for value in group.id] == list(range(sum(sizes)))
    assert all(len(group) == n_rows for group in groups[:-1])
    assert all(0 < len(group) <= n_rows and group.index[0] == 0 for group in groups)
