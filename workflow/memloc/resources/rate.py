"""How fast this machine multiplies matrices."""

import itertools
import time
from collections.abc import Sequence

import torch

from memloc.model import onednn

GIGA = 1e9
PEAK_SIZES = (1024, 2048, 3072)


def peak_rate(dtype: torch.dtype, repeats: int = 2, sizes: Sequence[int] = PEAK_SIZES) -> float:
    """Best rate of square matrix products of these sizes by any library, in GFLOP per second."""
    products = [torch.matmul, onednn.product] if onednn.available() else [torch.matmul]
    best = 0.0
    for size, product in itertools.product(sizes, products):
        left, right = (torch.randn(size, size).to(dtype) for _ in range(2))
        for _ in range(repeats + 1):
            begin = time.perf_counter()
            product(left, right)
            best = max(best, 2 * size**3 / GIGA / (time.perf_counter() - begin))
    return best
