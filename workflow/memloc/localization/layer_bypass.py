"""How much do memorized paragraphs lose without attention or the MLP of one layer?

A block is bypassed at every position in one of two ways:

    identity  every position attends to itself alone: values and W_O stay, but nothing moves between
              positions (2501.05078)
    mean      the block writes its mean output over other text

The loss of memorized paragraphs is compared with the loss of the model's own continuations of others.
"""

from collections.abc import Hashable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor
from transformers import PreTrainedModel

from memloc.localization.ablation import Plan, module_means
from memloc.model.components import Component, components, modules_of
from memloc.model.head_groups import stored_head
from memloc.model.hooks import changed_input, keeping
from memloc.settings.interventions import BYPASSES

WRITES = {"attention": "W_O", "mlp": "W_out"}  # the component that writes a block's output
Means = Mapping[str, Float[Tensor, "layer hidden"]]
"""Mean output of every layer's blocks, by block."""


class Bypass(NamedTuple):
    """A block that is bypassed."""

    block: str
    way: str
    at: int  # its layer
    means: Means

    def in_layer(self, layer: int) -> Hashable | None:
        """The block and the way."""
        return (self.block, self.way) if layer == self.at else None

    def applied(self, model: PreTrainedModel, layer: int) -> AbstractContextManager[None]:
        """Within the context, the layer's block is bypassed."""
        by_name = {part.name: part for part in components(model) if part.layer == layer}
        if self.way == "identity":
            return _attending_to_itself(model, by_name["W_V"], by_name["W_O"])
        written = self.means[self.block][layer]
        module = model.get_submodule(by_name[WRITES[self.block]].module)
        return module.register_forward_hook(lambda _, inputs, output: written.to(output).expand_as(output))


@contextmanager
def _attending_to_itself(model: PreTrainedModel, value: Component, output: Component) -> Iterator[None]:
    """Within the context, the output z of every head is the value of its own position."""
    shared = stored_head(torch.arange(output.n_heads), value.n_heads, output.n_heads).to(model.device)

    def replaced(z: Float[Tensor, "row position d_heads"]) -> Float[Tensor, "row position d_heads"]:
        _, values = kept[value.layer]
        return value.heads(values)[..., shared, :].flatten(-2).to(z)

    reader = model.get_submodule(output.module)
    with keeping({value.layer: model.get_submodule(value.output)}) as kept, changed_input(reader, replaced):
        yield


def mean_block_outputs(
    model: PreTrainedModel, tokens: Int[Tensor, "paragraph token"], micro_batch: int
) -> dict[str, Float[Tensor, "layer hidden"]]:
    """Mean output of every block over all paragraphs and positions."""
    modules = {
        (block, layer): module
        for block, name in WRITES.items()
        for layer, module in modules_of(model, name).items()
    }
    means = module_means(model, modules, tokens, micro_batch, written=True)
    layers = range(model.config.num_hidden_layers)
    return {block: torch.stack([means[block, layer] for layer in layers]) for block in WRITES}


def bypasses(means: Means) -> Plan:
    """Plan of table `layer_bypass`: every block, bypassed in every way."""
    return [
        ({"block": block, "way": way, "layer": layer}, Bypass(block, way, layer, means))
        for block, ways in BYPASSES.items()
        for way in ways
        for layer in range(len(means["attention"]))
    ]
