"""Contexts that record inputs and outputs of a model's modules, or change an input."""

from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial

from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle


def changed_input(module: nn.Module, change: Callable[[Tensor], Tensor]) -> RemovableHandle:
    """Within this context, `change` is applied to the first input of the module."""
    return module.register_forward_pre_hook(lambda _, inputs: (change(inputs[0]), *inputs[1:]))


@contextmanager
def keeping(modules: Mapping[Hashable, nn.Module]) -> Iterator[dict[Hashable, tuple[Tensor, Tensor]]]:
    """Within this context, the dict holds the first input and the output of each module's last call."""
    kept: dict[Hashable, tuple[Tensor, Tensor]] = {}

    def keep(place: Hashable, module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        kept[place] = inputs[0], output

    with ExitStack() as hooks:
        for place, module in modules.items():
            hooks.enter_context(module.register_forward_hook(partial(keep, place)))
        yield kept
