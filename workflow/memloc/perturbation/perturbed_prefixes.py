"""Score many versions of a paragraph, each with a perturbed token in its prefix (paper 4).

A version equals its paragraph up to its start, the first token that is changed. The keys and values of a
paragraph's prefix are therefore computed once, and each version is run from its start on. Starts ascend.
"""

from collections.abc import Callable
from dataclasses import replace

import torch
from jaxtyping import Int
from torch import Tensor
from transformers import DynamicCache

from memloc.model.subject import Subject, Tokens, in_micro_batches
from memloc.scoring.paragraph_scores import Scores, concatenated, redecoded, score_batch
from memloc.scoring.teacher_forcing import decided_margins, leading_matches, score_tokens

N_FIRST = 8  # continuation tokens that `match_batch` runs at first; then as many as have matched so far


def score_versions(
    subject: Subject,
    versions: Int[Tensor, "row chosen token"],
    starts: Int[Tensor, "chosen"],
    threshold: float,
    nll: bool = True,
) -> Scores:
    """The scores of `paragraph_scores.score` for the versions of all rows, row by row, in less time.

    Version c of a row equals its paragraph up to starts[c]. The keys and values of the prefixes of a
    micro-batch of rows are held, and as many versions are run at a time. Without `nll`, versions are run only
    until their first mismatch, and their NLL is NaN.
    """

    def of_rows(rows: Int[Tensor, "row chosen token"]) -> Scores:
        scores = run_versions(score_batch if nll else match_batch, subject, rows, starts)
        return redecoded(subject, rows.flatten(0, 1), scores, threshold)

    return concatenated(subject.in_batches(of_rows, versions))


@torch.inference_mode()
def run_versions(
    run: Callable[[Subject, Tokens, DynamicCache], Scores],
    subject: Subject,
    versions: Int[Tensor, "row chosen token"],
    starts: Int[Tensor, "chosen"],
) -> Scores:
    """The scores that `run(subject, rows, cache)` gives all versions, row by row.

    A micro-batch of versions is run at a time, however few the rows are.
    """
    device, shared = subject.device, DynamicCache()
    versions = versions.to(device)
    # The last version is the unperturbed paragraph in all tokens that any version shares.
    subject.hidden(versions[:, -1, : starts[-1] + 1], shared)

    def of_some(some: Int[Tensor, "version 2"]) -> Scores:
        chosen, rows = some.to(device).unbind(1)
        n_shared = starts[some[0, 0]]
        known = [(keys[rows, :, :n_shared], values[rows, :, :n_shared]) for keys, values, _ in shared]
        return run(subject, versions[rows, chosen], DynamicCache(known))

    n_rows, n_versions = versions.shape[:2]
    # Versions that are run together start at the start of the first of them.
    by_start = torch.cartesian_prod(torch.arange(n_versions), torch.arange(n_rows))
    found = concatenated(in_micro_batches(of_some, subject.micro_batch, by_start))
    row_by_row = by_start[:, 1].argsort(stable=True)
    return Scores(*(column[row_by_row] for column in found))


@torch.inference_mode()
def match_batch(subject: Subject, rows: Tokens, cache: DynamicCache) -> Scores:
    """Exact match (tokens) and margins (logits) of one micro-batch; its NLL is NaN.

    Paragraphs drop out at their first mismatch. `cache` holds the first tokens (fewer than the prefix, or
    none), and is extended.
    """
    n_prefix = subject.n_prefix
    n_left = rows.shape[1] - n_prefix
    em = torch.zeros(len(rows), dtype=torch.long, device=rows.device)
    margins = torch.full((len(rows), n_left), torch.inf, device=rows.device)
    going, start = torch.arange(len(rows), device=rows.device), 0
    while len(going) and start < n_left:
        stop = min(max(N_FIRST, 2 * start), n_left)
        text = rows[going, : n_prefix + stop]
        states = replace(subject, n_prefix=n_prefix + start).states(text, cache)
        found = score_tokens(subject, states, text[:, n_prefix + start :])
        n_matched = leading_matches(found.matched)
        em[going] += n_matched
        margins[going, start:stop] = decided_margins(found.margin, n_matched)
        stays = found.matched.all(dim=1).nonzero().squeeze(1)
        if len(stays) < len(going):
            cache.batch_select_indices(stays)
            going = going[stays]
        start = stop
    em = em.cpu()
    return Scores(em, torch.full(em.shape, torch.nan), margins.cpu(), torch.zeros_like(em).bool())
