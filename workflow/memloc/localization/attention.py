"""KQ attention of the first decoded token onto the prefix (paper 6.2)."""

from typing import TYPE_CHECKING

import torch
from jaxtyping import Float, Int
from torch import Tensor

from memloc.model.activations import recording, sites
from memloc.model.micro_batches import in_micro_batches

if TYPE_CHECKING:
    from transformer_lens.model_bridge import TransformerBridge


@torch.inference_mode()
def prefix_attention(
    bridge: "TransformerBridge", tokens: Int[Tensor, "paragraph token"], n_prefix: int, micro_batch: int
) -> Float[Tensor, "paragraph layer head key"]:
    """Softmax attention at query position n_prefix (the first decoded token) onto keys 0..n_prefix.

    The last key is the query's own position, so that every row sums to one. On the CPU, in single precision.
    """
    model, wanted = bridge.original_model, sites(bridge, ["pattern"])

    def at_query(rows: Int[Tensor, "paragraph token"]) -> Float[Tensor, "paragraph layer head key"]:
        with recording(bridge, wanted) as activations:
            model.base_model(rows.to(model.device), use_cache=False)
            return torch.stack([activations[site][:, :, n_prefix].float().cpu() for site in wanted], dim=1)

    return torch.cat(in_micro_batches(at_query, micro_batch, tokens[:, : n_prefix + 1]))
