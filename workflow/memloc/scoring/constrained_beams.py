"""Lower bound on the probability that sampling gives nearly the continuation (2603.24917).

There are too many such texts to add up all their probabilities. A beam search adds up the probabilities of
the likeliest texts that it finds. They differ from each other, so the sum is a lower bound, and nothing is
drawn. Tokens are replaced in place (Hamming distance). The Levenshtein distance, which allows for insertions
too, is never larger, so the bound holds for it as well.
"""

from functools import partial
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor
from transformers import Cache
from transformers.generation.logits_process import TopKLogitsWarper

from memloc.model.subject import Subject, Tokens
from memloc.scoring.decoding import known_layers
from memloc.scoring.extraction import TOP_K

N_BEAMS = 5  # texts of each paragraph that are followed; more give a higher bound


class Beams(NamedTuple):
    """Texts of each paragraph that are still within reach; the first is the paragraph itself."""

    log_p: Float[Tensor, "paragraph beam"]  # -inf: there is no such text
    n_replaced: Int[Tensor, "paragraph beam"]
    last: Int[Tensor, "paragraph beam"]  # token


def log_p_nearly(
    subject: Subject, tokens: Tokens, n_replaced: int, n_beams: int = N_BEAMS
) -> Float[Tensor, "paragraph"]:
    """Log of a lower bound on the probability that at most `n_replaced` tokens of the continuation differ.

    The bound is for sampling among the 40 likeliest tokens. It is never below the probability of the
    continuation itself, and -inf if no text is found.

    Each paragraph takes as much memory as `n_beams` rows.
    """
    return torch.cat(subject.in_batches(partial(_search, subject, n_replaced, n_beams), tokens))


@torch.inference_mode()
def _search(subject: Subject, n_replaced: int, n_beams: int, rows: Tokens) -> Float[Tensor, "paragraph"]:
    truncate, n_prefix = TopKLogitsWarper(TOP_K), subject.n_prefix
    layers = known_layers(subject, rows, n_prefix, n_beams)
    log_p = torch.full((len(rows), n_beams), -torch.inf, dtype=torch.float64, device=rows.device)
    log_p[:, 0] = 0
    last = rows[:, n_prefix - 1, None].expand(-1, n_beams)
    beams = Beams(log_p, torch.zeros_like(last), last)
    for position in range(n_prefix, rows.shape[1]):
        for layer in layers:
            layer.show(len(rows) * n_beams, position - 1)
        hidden = subject.hidden(beams.last.reshape(-1, 1), Cache(layers=layers))
        logits = subject.logits(hidden[:, -1])
        chances = truncate(None, logits).log_softmax(dim=-1).view(*beams.last.shape, -1)
        beams, parents = _extended(beams, chances, rows[:, position, None, None], n_replaced)
        for layer in layers:
            layer.reorder(parents.flatten(), n_prefix)
    return beams.log_p.logsumexp(dim=1).cpu()


def _extended(
    beams: Beams,
    chances: Float[Tensor, "paragraph beam vocabulary"],
    true: Int[Tensor, "paragraph 1 1"],
    n_replaced: int,
) -> tuple[Beams, Int[Tensor, "paragraph beam"]]:
    """The likeliest texts with one more token, and the row that each continues.

    The paragraph itself stays the first, however unlikely it is. Each text tries the true token first, then
    its likeliest tokens, as many as there are beams.
    """
    n_paragraphs, n_beams, n_tokens = chances.shape
    true = true.expand(-1, n_beams, 1)
    others = chances.scatter(2, true, -torch.inf).topk(min(n_beams, n_tokens - 1), dim=2)
    tried = torch.cat([true, others.indices], dim=2)  # [paragraph, beam, tried]
    gained = torch.cat([chances.gather(2, true), others.values], dim=2).double()
    replaced = beams.n_replaced[..., None] + (tried != true)
    log_p = beams.log_p[..., None] + gained
    log_p = log_p.where(replaced <= n_replaced, -torch.inf).flatten(1)
    rank = log_p.clone()
    rank[:, 0] = torch.inf
    chosen = rank.topk(n_beams, dim=1).indices
    tokens, replaced = (each.flatten(1).gather(1, chosen) for each in (tried, replaced))
    first = n_beams * torch.arange(n_paragraphs, device=true.device)[:, None]
    return Beams(log_p.gather(1, chosen), replaced, tokens), first + chosen // tried.shape[2]
