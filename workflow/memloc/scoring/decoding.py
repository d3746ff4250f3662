"""Greedy continuations, decoded from the first token that is not known (paper 3.2)."""

from functools import partial

import torch
from jaxtyping import Int
from torch import Tensor
from torch.nn import functional
from transformers import DynamicCache

from memloc.model.subject import Subject, Tokens, in_micro_batches


def continue_from_scores(
    subject: Subject, tokens: Tokens, em: Int[Tensor, "paragraph"]
) -> Int[Tensor, "paragraph continuation"]:
    """Greedy continuations of paragraphs whose exact match is known: decode from the first mismatch on.

    The first `em` tokens of the continuation are the true ones. If all are, nothing is run. Micro-batches
    take paragraphs in the order of their first mismatch, so that all rows of one have as much to decode.
    """
    n_known, order = (subject.n_prefix + em).sort(stable=True)
    continued = in_micro_batches(partial(_continue, subject), subject.micro_batch, tokens[order], n_known)
    return torch.cat(continued)[order.argsort(), subject.n_prefix :]


def greedy_continuation(
    subject: Subject, prefix: Int[Tensor, "paragraph prefix"], n_tokens: int
) -> Int[Tensor, "paragraph continuation"]:
    """Decode `n_tokens` tokens greedily, step by step; no token is banned and none ends the decoding."""
    tokens = functional.pad(prefix, (0, n_tokens))
    return continue_from_scores(subject, tokens, torch.zeros(len(prefix)).long())


@torch.inference_mode()
def _continue(subject: Subject, rows: Tokens, n_known: Int[Tensor, "paragraph"]) -> Tokens:
    """Rows in which all but the first `n_known` (at least 1) tokens are replaced by decoded ones.

    Rows come sorted by this number, and are run together from the first unknown token of any on.
    """
    n_tokens = rows.shape[1]
    n_known = n_known[n_known < n_tokens]
    if not len(n_known):
        return rows
    text, cache = rows[: len(n_known)].to(subject.device), DynamicCache()
    for position in range(int(n_known[0]), n_tokens):
        states = subject.hidden(text[:, cache.get_seq_length() : position], cache)
        n_rows = int((n_known <= position).sum())
        text[:n_rows, position] = subject.logits(states[:n_rows, -1]).argmax(dim=-1)
    return torch.cat([text.to(rows.device), rows[len(n_known) :]])
