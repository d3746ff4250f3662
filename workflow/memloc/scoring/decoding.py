"""Greedy continuations, decoded from the first token that is not known (paper 3.2)."""

from functools import partial

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional
from transformers import Cache, DynamicCache
from transformers.cache_utils import DynamicLayer

from memloc.model.subject import Subject, Tokens, in_micro_batches


class PreallocatedLayer(DynamicLayer):
    """Keys and values of one layer, with room for later tokens, which are written in place."""

    def __init__(
        self, keys: Float[Tensor, "row head token width"], values: Float[Tensor, "row head token width"]
    ) -> None:
        super().__init__()
        self.memory = keys, values
        self.is_initialized = True

    def show(self, n_rows: int, n_tokens: int) -> None:
        """Keep the first tokens of the first rows; later tokens are overwritten."""
        self.keys, self.values = (memory[:n_rows, :, :n_tokens] for memory in self.memory)

    def update(
        self, key_states: Tensor, value_states: Tensor, *args: object, **kwargs: object
    ) -> tuple[Tensor, Tensor]:
        """Append keys and values of the next tokens, and return all of them."""
        n_rows, _, n_tokens, _ = self.keys.shape
        self.show(n_rows, n_tokens + key_states.shape[-2])
        self.keys[:, :, n_tokens:] = key_states
        self.values[:, :, n_tokens:] = value_states
        return self.keys, self.values


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

    Rows come sorted by this number. Each joins those that decode a token at its first unknown one.
    """
    n_tokens = rows.shape[1]
    n_known = n_known[n_known < n_tokens]
    if not len(n_known):
        return rows
    text = rows[: len(n_known)].to(subject.device)
    layers = known_layers(subject, text, int(n_known[-1]))
    for position in range(int(n_known[0]), n_tokens):
        n_rows = int((n_known <= position).sum())
        for layer in layers:
            layer.show(n_rows, position - 1)
        last = text[:n_rows, position - 1 : position]
        logits = subject.logits(subject.hidden(last, Cache(layers=layers))[:, -1])
        text[:n_rows, position] = logits.argmax(dim=-1)
    return torch.cat([text.to(rows.device), rows[len(n_known) :]])


def known_layers(subject: Subject, text: Tokens, n_known: int) -> list[PreallocatedLayer]:
    """Keys and values of the first `n_known` tokens in every layer, with room for the other tokens.

    They come from one pass without unembedding.
    """
    known = DynamicCache()
    subject.hidden(text[:, :n_known], known)
    room = (0, 0, 0, text.shape[1] - n_known)
    return [
        PreallocatedLayer(functional.pad(keys, room), functional.pad(values, room))
        for keys, values, _ in known
    ]
