"""How much do memorized paragraphs lose without attention or the MLP of one layer?

A block is bypassed at every position: it writes its mean output over other text. The loss of memorized
paragraphs is compared with that of others.
"""

from collections.abc import Mapping

from jaxtyping import Float
from torch import Tensor

from memloc.localization.ablation import Intervention, Plan, means
from memloc.model.sites import Site, replacing, sites
from memloc.model.subject import Subject, Tokens

WRITES = {"attention": "attn_out", "mlp": "mlp_out"}  # the site of a block's output
Means = Mapping[Site, Float[Tensor, "hidden"]]
"""Mean output of every block over other text."""


def bypass(block: str, layer: int, means: Means) -> Intervention:
    """A layer's block is bypassed."""
    site = Site(layer, WRITES[block])
    change = {site: lambda output: means[site].to(output).expand_as(output)}
    return Intervention(layer, (block, layer), lambda subject: replacing(subject, change))


def mean_block_outputs(subject: Subject, tokens: Tokens) -> Means:
    """Mean output of every block over all paragraphs and positions."""
    return means(subject, sites(subject, WRITES.values()), tokens)


def bypasses(means: Means) -> Plan:
    """Plan of table `layer_bypass`: every block of every layer."""
    return [
        ({"block": block, "layer": layer}, bypass(block, layer, means))
        for block in WRITES
        for layer in range(len(means) // len(WRITES))
    ]
