"""Run a function over micro-batches; where a GPU's memory does not hold one, go on with smaller ones."""

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
        # Only here, after the handler, is the failed call's memory free: its frames hang on the exception.
        torch.cuda.empty_cache()
        micro_batch //= 2
    return results
