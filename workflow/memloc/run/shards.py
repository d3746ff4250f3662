"""Split a stage over several jobs without a trace in its results.

The last bit of a model's numbers for a paragraph may depend on the other paragraphs of the forward pass. So
shards end where micro-batches end, and every micro-batch is computed by itself.
"""

from collections.abc import Iterable, Iterator

import pandas as pd


def shard_rows(n_rows: int, shard: int, n_shards: int, micro_batch: int) -> range:
    """Rows of shard number `shard` (from 0): whole micro-batches; no two shards differ by more than one.

    Together the shards hold every row once. Some are empty if there are fewer micro-batches than shards.
    """
    n_batches = -(-n_rows // micro_batch)
    first, last = (n_batches * number // n_shards * micro_batch for number in (shard, shard + 1))
    return range(min(first, n_rows), min(last, n_rows))


def regrouped(frames: Iterable[pd.DataFrame], n_rows: int) -> Iterator[pd.DataFrame]:
    """The same rows in frames of `n_rows`; the last frame holds the rest."""
    waiting = pd.DataFrame()
    for frame in frames:
        waiting = pd.concat([waiting, frame], ignore_index=True) if len(waiting) else frame
        while len(waiting) >= n_rows:
            yield waiting[:n_rows].reset_index(drop=True)
            waiting = waiting[n_rows:]
    if len(waiting):
        yield waiting.reset_index(drop=True)
