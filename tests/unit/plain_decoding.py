"""Slow, obvious counterparts of the scores: the whole context is run again for every token."""

import torch


@torch.no_grad()
def decode(model, prefix, n_tokens):
    """Greedy continuation without any cache."""
    tokens = prefix
    for _ in range(n_tokens):
        best = model(tokens, use_cache=False).logits[:, -1].argmax(dim=-1)
        tokens = torch.cat([tokens, best[:, None]], dim=1)
    return tokens[:, prefix.shape[1] :]


def matching(decoded, true):
    """Tokens before the first mismatch of each row."""
    counts = []
    for left, right in zip(decoded.tolist(), true.tolist(), strict=True):
        n = 0
        while n < len(left) and left[n] == right[n]:
            n += 1
        counts.append(n)
    return torch.tensor(counts)


@torch.no_grad()
def mean_nll(model, tokens, n_prefix):
    """Cross-entropy of each row's tokens from n_prefix on, over the model's full logits."""
    logits = model(tokens, use_cache=False).logits
    return torch.stack(
        [
            torch.nn.functional.cross_entropy(row[n_prefix - 1 : -1], true[n_prefix:])
            for row, true in zip(logits, tokens, strict=True)
        ]
    )
