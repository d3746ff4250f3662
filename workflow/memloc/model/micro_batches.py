"""Run a function over micro-batches that fit a GPU's memory: they grow where there is room, else shrink.

On a processor micro-batches have the configured size, since larger ones are no faster. On a GPU the first one
measures how much memory its rows take, and the next ones are larger by the power of two that fits. All memory
that this process does not use counts as free, so that results do not depend on other processes. Where those
leave too little, the micro-batch is halved.
"""

from collections.abc import Callable
from typing import TypeVar

import torch
from torch import Tensor

USED = 0.8  # share of the free memory: gaps between blocks of other sizes and CUDA itself need the rest
Result = TypeVar("Result")


def in_micro_batches(
    function: Callable[..., Result], micro_batch: int, *columns: Tensor, grow: bool = True
) -> list[Result]:
    """Results of `function` for `micro_batch` rows of every column at a time, in order.

    Where the device runs out of memory, the micro-batch is halved from there on, and its rows are run again:
    `function` must leave nothing behind when it fails. An empty column gives one call with no rows.

    Args:
        grow: whether micro-batches grow with a GPU's free memory; not if `function` itself runs others.

    Raises:
        torch.OutOfMemoryError: a single row does not fit.
    """
    results, start = [], 0
    while start < max(len(columns[0]), 1):
        before = watch_memory()
        try:
            results.append(function(*(column[start : start + micro_batch] for column in columns)))
            start += micro_batch
            micro_batch *= room_for(before) if grow else 1
            grow = False
            continue
        except torch.OutOfMemoryError:
            if micro_batch == 1:
                raise
        # The failed call's memory is free only here, after the handler: the exception held its frames.
        torch.cuda.empty_cache()
        micro_batch, grow = micro_batch // 2, False
    return results


def watch_memory() -> dict[int, int]:
    """Bytes in use on each GPU that this process computes on; the peak is watched from now on."""
    devices = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else ()
    for device in devices:
        torch.cuda.reset_peak_memory_stats(device)
    return {device: torch.cuda.memory_allocated(device) for device in devices}


def room_for(before: dict[int, int]) -> int:
    """How many times the memory used since `watch_memory` fits every GPU: a power of two, 1 without GPUs."""
    times = []
    for device, in_use in before.items():
        used = torch.cuda.max_memory_allocated(device) - in_use
        _, total = torch.cuda.mem_get_info(device)
        if used > 0:
            times.append(int(USED * (total - in_use) // used))
    return 1 << max(min(times, default=1).bit_length() - 1, 0)
