"""Run a function over micro-batches; where they do not fit a GPU's memory, they shrink."""

from collections.abc import Callable
from typing import TypeVar

import torch
from torch import Tensor

Result = TypeVar("Result")


def in_micro_batches(function: Callable[..., Result], micro_batch: int, *columns: Tensor) -> list[Result]:
    """Results of `function` for `micro_batch` rows of every column at a time, in order.

    Where the device runs out of memory, the micro-batch is halved from there on, and its rows are run again:
    `function` must leave nothing behind when it fails. An empty column gives one call with no rows.

    Raises:
        torch.OutOfMemoryError: a single row does not fit.
    """
    results, start = [], 0
    while start < max(len(columns[0]), 1):
        try:
            results.append(function(*(column[start : start + micro_batch] for column in columns)))
            start += micro_batch
            continue
        except torch.OutOfMemoryError:
            if micro_batch == 1:
                raise
        # The failed call's memory is free only here, after the handler: the exception held its frames.
        torch.cuda.empty_cache()
        micro_batch //= 2
    return results
