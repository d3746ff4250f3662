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
from jaxtyping import Float
from torch import Tensor

from memloc.localization.ablation import Plan, means
from memloc.model.head_groups import stored_head
from memloc.model.sites import Site, reading, replacing, sites
from memloc.model.subject import Subject, Tokens
from memloc.settings.interventions import BYPASSES

WRITES = {"attention": "attn_out", "mlp": "mlp_out"}  # the site of a block's output
Means = Mapping[Site, Float[Tensor, "hidden"]]
"""Mean output of every block over other text."""


class Bypass(NamedTuple):
    """A block that is bypassed."""

    block: str
    way: str
    first: int  # its layer
    means: Means

    @property
    def key(self) -> Hashable:
        """Block, way and layer."""
        return self[:3]

    def applied(self, subject: Subject) -> AbstractContextManager[None]:
        """Within the context, the layer's block is bypassed."""
        if self.way == "identity":
            return _attending_to_itself(subject, self.first)
        site = Site(self.first, WRITES[self.block])
        return replacing(subject, {site: lambda output: self.means[site].to(output).expand_as(output)})


@contextmanager
def _attending_to_itself(subject: Subject, layer: int) -> Iterator[None]:
    """Within the context, the output z of every head is the value of its own position."""
    value = Site(layer, "v")
    shared = stored_head(torch.arange(subject.n_heads), subject.n_groups, subject.n_heads)

    def replaced(z: Float[Tensor, "row position head d_head"]) -> Float[Tensor, "row position head d_head"]:
        return kept[value][..., shared.to(z.device), :].to(z)

    with reading(subject, [value]) as kept, replacing(subject, {Site(layer, "z"): replaced}):
        yield


def mean_block_outputs(subject: Subject, tokens: Tokens) -> Means:
    """Mean output of every block over all paragraphs and positions."""
    return means(subject, sites(subject, WRITES.values()), tokens)


def bypasses(means: Means) -> Plan:
    """Plan of table `layer_bypass`: every block, bypassed in every way."""
    return [
        ({"block": block, "way": way, "layer": layer}, Bypass(block, way, layer, means))
        for block, ways in BYPASSES.items()
        for way in ways
        for layer in range(len(means) // len(WRITES))
    ]
