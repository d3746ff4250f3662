"""Contexts in which a module of a model is given another input."""

from collections.abc import Callable

from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle


def changed_input(module: nn.Module, change: Callable[[Tensor], Tensor]) -> RemovableHandle:
    """Within this context, `change` is applied to the first input of the module."""
    return module.register_forward_pre_hook(lambda _, inputs: (change(inputs[0]), *inputs[1:]))
