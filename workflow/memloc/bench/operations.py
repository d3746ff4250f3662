"""Operations of the matrix products that run, counted as torch counts them.

A multiplication and an addition are two operations. Counted is what is computed, needed or not: also rows of
a batch that wait for its longest one, and attention to tokens that a mask hides.
"""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from memloc.model import onednn


class Operations(TorchDispatchMode):
    """Counts within its context.

    torch's own FlopCounterMode attributes operations to modules, by hooks that gradients of weights
    (`torch.autograd.grad`) do not allow. This one only adds them up.
    """

    def __init__(self) -> None:
        super().__init__()
        self.n = 0
        self._counts = dict(flop_registry)
        if onednn.available():
            self._counts[torch.ops.mkldnn._linear_pointwise] = _linear

    def __torch_dispatch__(
        self, function: Any, types: Any, args: tuple = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs, count = kwargs or {}, self._counts.get(function._overloadpacket)
        if count is None and function is not torch.ops.prim.device.default:
            with self:  # what is made of products, as within inference_mode
                if (parts := function.decompose(*args, **kwargs)) is not NotImplemented:
                    return parts
        found = function(*args, **kwargs)
        if count is not None:
            self.n += count(*args, **kwargs, out_val=found)
        return found


def _linear(inputs: Tensor, weight: Tensor, *_others: Any, out_val: Tensor) -> int:
    """oneDNN's linear layer, which torch does not count."""
    return 2 * math.prod(inputs.shape) * out_val.shape[-1]


def counted(work: Callable[[], Any]) -> tuple[Any, float]:
    """What some work finds, and its operations in billions (GFLOP)."""
    with Operations() as operations:
        found = work()
    return found, operations.n / 1e9
