"""Matrix-product work in GFLOP that a result needs, by formula.

A multiplication and an addition count as two operations. Counted are the products of weights and tokens, of
queries and keys, of attention and values (each token attends to itself and those before it), and of hidden
states and the unembedding. Layer norms, softmax and nonlinearities are not: they are the overhead that the
share of the peak shows.
"""

from typing import NamedTuple

GIGA = 1e9


class Shape(NamedTuple):
    """What the work of a GPT-Neo depends on; its MLP is four times as wide as its residual stream."""

    n_layers: int
    width: int
    vocabulary: int

    def layers(self, start: float, end: float, n_layers: float | None = None) -> float:
        """GFLOP of the forward pass of positions start..end-1 through layers (all by default)."""
        n_layers = self.n_layers if n_layers is None else n_layers
        weights = 24 * self.width**2 * (end - start)
        attended = (end * (end + 1) - start * (start + 1)) / 2
        return n_layers * (weights + 4 * self.width * attended) / GIGA

    def mlp(self, n_positions: float) -> float:
        """GFLOP of the forward pass of some positions through the MLP of one layer."""
        return 16 * self.width**2 * n_positions / GIGA

    def unembedding(self, n_positions: float) -> float:
        """GFLOP of the logits of some positions."""
        return 2 * self.width * self.vocabulary * n_positions / GIGA
