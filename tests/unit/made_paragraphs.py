"""Paragraphs that tests make: a model's own text, with known mismatches."""

import torch
from plain_runs import decode

N_PREFIX = 8
N_TOKENS = 20


def random(seed):
    return torch.Generator().manual_seed(seed)


def own_paragraphs(model, n, seed=0):
    """Random prefixes, each with the model's greedy continuation; in most, one of its tokens is replaced.

    Every exact match from none to all occurs.
    """
    n_left = N_TOKENS - N_PREFIX
    prefix = torch.randint(64, (n, N_PREFIX), generator=random(seed))
    continuation = decode(model, prefix, n_left)
    where = torch.arange(n) % (n_left + 1)
    changed = where < n_left
    continuation[changed, where[changed]] = (continuation[changed, where[changed]] + 5) % 64
    return torch.cat([prefix, continuation], dim=1)
