"""Gradients and contrastive objectives from full logits, in one pass over all paragraphs."""

from typing import TYPE_CHECKING

import torch
from jaxtyping import Float, Int
from torch import Tensor
from transformers import PreTrainedModel

if TYPE_CHECKING:
    from transformer_lens.model_bridge import TransformerBridge


def nll(model: PreTrainedModel, tokens: Int[Tensor, "paragraph token"], n_prefix: int) -> Float[Tensor, ""]:
    """The model's own loss over all logits, with the prefix masked out of the labels."""
    labels = tokens.clone()
    labels[:, :n_prefix] = -100
    return model(tokens, labels=labels).loss


def kl(
    theta: PreTrainedModel, theta0: PreTrainedModel, tokens: Int[Tensor, "paragraph token"], n_prefix: int
) -> Float[Tensor, ""]:
    """The authors' KL: torch's KLDivLoss over all continuation logits, summed over positions."""
    positions = slice(n_prefix - 1, -1)
    with torch.no_grad():
        p0 = theta0(tokens).logits[:, positions].softmax(dim=-1)
    log_p = theta(tokens).logits[:, positions].log_softmax(dim=-1)
    return torch.nn.KLDivLoss(reduction="batchmean")(log_p, p0)


def nll_gradients_with_all_hooks(
    bridge: "TransformerBridge",
    parameters: dict[str, Tensor],
    tokens: Int[Tensor, "paragraph token"],
    n_prefix: int,
) -> dict[str, Tensor]:
    """Gradient of the NLL of all paragraphs in one batch, while every hook keeps its activation.

    `bridge` is the model with the hooks of TransformerLens, which rename its modules. `parameters` are the
    model's parameters by their original names.
    """
    logits, _activations = bridge.run_with_cache(tokens)
    true = tokens[:, n_prefix:]
    loss = torch.nn.functional.cross_entropy(logits[:, n_prefix - 1 : -1].transpose(1, 2), true)
    return dict(zip(parameters, torch.autograd.grad(loss, list(parameters.values())), strict=True))
