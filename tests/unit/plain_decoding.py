"""Greedy decoding step by step, and NLL from the logits of every position."""

import torch
from jaxtyping import Float, Int
from torch import Tensor
from transformers import PreTrainedModel


@torch.no_grad()
def generate(
    model: PreTrainedModel, prefix: Int[Tensor, "paragraph prefix"], n_tokens: int
) -> Int[Tensor, "paragraph continuation"]:
    """Greedy continuation by `generate` of transformers, with its cache; no token ends it or is padding."""
    ordinary = {"eos_token_id": -1, "pad_token_id": -1, "attention_mask": torch.ones_like(prefix)}
    tokens = model.generate(prefix, max_new_tokens=n_tokens, do_sample=False, **ordinary)
    return tokens[:, prefix.shape[1] :]


def matching(
    decoded: Int[Tensor, "paragraph token"], true: Int[Tensor, "paragraph token"]
) -> Int[Tensor, "paragraph"]:
    """Tokens before the first mismatch of each row."""
    counts = []
    for left, right in zip(decoded.tolist(), true.tolist(), strict=True):
        n = 0
        while n < len(left) and left[n] == right[n]:
            n += 1
        counts.append(n)
    return torch.tensor(counts)


@torch.no_grad()
def mean_nll(
    model: PreTrainedModel, tokens: Int[Tensor, "paragraph token"], n_prefix: int
) -> Float[Tensor, "paragraph"]:
    """Cross-entropy of each row's tokens from n_prefix on, over the model's full logits."""
    logits = model(tokens, use_cache=False).logits.float()
    return torch.stack(
        [
            torch.nn.functional.cross_entropy(row[n_prefix - 1 : -1], true[n_prefix:])
            for row, true in zip(logits, tokens, strict=True)
        ]
    )
