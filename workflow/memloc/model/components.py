"""Views of a model's weights by layer, component and head.

Model families store the same matrices differently (see `families`); everything else asks for
`[head, d_in, d_out]`. Writing to a view changes the model.
"""

import re
from dataclasses import dataclass

from einops import rearrange
from jaxtyping import Shaped
from torch import Tensor

from memloc.model.families import Stored

HEAD_PARTS = ("W_Q", "W_K", "W_V", "W_O")
MLP_PARTS = ("W_in", "W_gate", "W_out")


@dataclass(frozen=True)
class Component:
    """One weight matrix of one layer, all heads together."""

    layer: int
    name: str
    parameter: str  # the model's parameter that holds it, perhaps fused with others
    n_heads: int | None  # None for an MLP matrix
    stored: Stored

    def view(self, tensor: Shaped[Tensor, "..."]) -> Shaped[Tensor, "..."]:
        """View of this component in a tensor shaped like its parameter (weight, gradient, mask, ...).

        Returns `[head, d_in, d_out]`, or the whole tensor for an MLP matrix. It shares the tensor's memory.
        """
        axes, part = self.stored.axes, self.stored.part
        if axes is None:
            return tensor
        if part is None:
            return rearrange(tensor, axes, head=self.n_heads)
        return rearrange(tensor, axes, head=self.n_heads, qkv=3)[part]

    @property
    def module(self) -> str:
        """Name of the module that multiplies with this component, perhaps fused with others."""
        return self.parameter.removesuffix(".weight")

    @property
    def output(self) -> str:
        """Name of the module whose output is q, k or v: the projection, or the norm over all its heads.

        Before such a norm, a change of one head moves all other heads.
        """
        norm = self.stored.norm
        return self.module.removesuffix(self.stored.module) + norm if norm else self.module

    def heads(
        self, output: Shaped[Tensor, "row position column"]
    ) -> Shaped[Tensor, "row position head d_head"]:
        """View by head of the output of module `output`; for W_Q, W_K and W_V.

        The columns are laid out like the axis of the weight that is split into heads.
        """
        columns = re.search(r"\(.*?\)", self.stored.axes).group()
        if self.stored.part is None:
            return rearrange(output, f"row position {columns} -> row position head d_head", head=self.n_heads)
        pattern = f"row position {columns} -> qkv row position head d_head"
        return rearrange(output, pattern, head=self.n_heads, qkv=3)[self.stored.part]

    def by_head(self, tensor: Shaped[Tensor, "..."]) -> Shaped[Tensor, "head weight"]:
        """This component's weights as one row per head, or a single row for an MLP matrix (read-only use)."""
        return self.view(tensor).reshape(self.n_heads or 1, -1)
