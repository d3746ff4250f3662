"""Measures by which all ways to remove are judged, weight edits and diversions alike.

A way may change logits, at every token. Exact match and NLL are those of the changed logits. A token that a
way forbids has an NLL of `FORBIDDEN_NLL`, so that means stay finite. Every other NLL is the model's, however
large.

A removed paragraph may come back when weights are rounded to few bits, as on small machines. Every output
channel is rounded to a symmetric grid of its own; embeddings and biases are kept (2410.16454).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from transformers import LogitsProcessor, LogitsProcessorList

from memloc.model.subject import Subject, Tokens
from memloc.model.weights import all_weights, moved
from memloc.scoring.decoding import continue_from_scores
from memloc.scoring.teacher_forcing import leading_matches, score_logits

FORBIDDEN_NLL = 20.0  # nats: one in half a billion


class Judged(NamedTuple):
    """Scores of each paragraph, on the CPU."""

    em: Int[Tensor, "paragraph"]
    nll: Float[Tensor, "paragraph"]


@torch.inference_mode()
def judged(subject: Subject, tokens: Tokens, processor: LogitsProcessor | None = None) -> Judged:
    """Exact match and NLL (nats per token) of every continuation, from one pass each."""

    def of_rows(rows: Tokens) -> Judged:
        pairs = zip(rows, subject.states_in_parts(rows), strict=True)
        found = [_of_paragraph(subject, *pair, processor) for pair in pairs]
        return Judged(*(torch.stack(column) for column in zip(*found, strict=True)))

    if not len(tokens):
        none = torch.zeros(0)
        return Judged(none.long(), none)
    parts = subject.in_batches(of_rows, tokens)
    return Judged(*(torch.cat(column).cpu() for column in zip(*parts, strict=True)))


def _of_paragraph(
    subject: Subject,
    row: Int[Tensor, "token"],
    states: Float[Tensor, "continuation width"],
    processor: LogitsProcessor | None,
) -> Judged:
    logits, n_prefix = subject.logits(states), subject.n_prefix
    if processor is not None:
        for place in range(len(logits)):
            logits[place] = processor(row[None, : n_prefix + place], logits[place, None])[0]
    true = row[n_prefix:]
    scores = score_logits(logits, true)
    nll = scores.nll.masked_fill(scores.nll.isposinf(), FORBIDDEN_NLL).mean()
    return Judged(leading_matches(scores.matched), nll)


def decoded(
    subject: Subject, tokens: Tokens, em: Int[Tensor, "paragraph"], processor: LogitsProcessor | None = None
) -> Int[Tensor, "paragraph continuation"]:
    """The greedy continuation of every prefix, whose first `em` tokens are known."""
    if processor is None:
        return continue_from_scores(subject, tokens, em)
    ordinary = {"eos_token_id": -1, "pad_token_id": -1, "do_sample": False}

    def of_rows(rows: Tokens) -> Int[Tensor, "paragraph continuation"]:
        prefix = rows[:, : subject.n_prefix]
        generated = subject.model.generate(
            prefix,
            attention_mask=torch.ones_like(prefix),
            max_new_tokens=rows.shape[1] - subject.n_prefix,
            logits_processor=LogitsProcessorList([processor]),
            **ordinary,
        )
        return generated[:, subject.n_prefix :].cpu()

    return torch.cat(subject.in_batches(of_rows, tokens))


def perturbed_versions(
    tokens: Int[Tensor, "token"],
    n_prefix: int,
    n_versions: int,
    n_vocabulary: int,
    random: np.random.Generator,
) -> Int[Tensor, "version token"]:
    """Versions of a paragraph with one random token of the prefix replaced by another random one."""
    versions = tokens.repeat(n_versions, 1)
    places = torch.from_numpy(random.permutation(n_prefix)[:n_versions])
    others = torch.from_numpy(random.integers(1, n_vocabulary, len(places)))
    rows = torch.arange(len(places))
    versions[rows, places] = (versions[rows, places] + others) % n_vocabulary
    return versions[: len(places)]


@contextmanager
def rounded(subject: Subject, bits: int) -> Iterator[None]:
    """Within the context every W_* weight is rounded; afterwards all are restored bit for bit."""
    with moved(subject, all_weights(subject)):
        for name, weight in subject.weights.items():
            own = subject.as_linear(name, weight.data)
            own.copy_(to_grid(own, bits))
        yield


def to_grid(weight: Float[Tensor, "out in"], bits: int) -> Float[Tensor, "out in"]:
    """The nearest of 2^bits - 1 even steps between minus and plus the largest |weight| of its channel."""
    largest = weight.abs().amax(dim=1, keepdim=True)
    step = (largest / (2 ** (bits - 1) - 1)).clamp(min=torch.finfo(weight.dtype).tiny)
    return (weight / step).round() * step
