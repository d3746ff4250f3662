"""Score many versions of a paragraph, each with a perturbed token in its prefix (paper 4).

A version equals its paragraph up to its start, the first token that is changed. The keys and values of a
paragraph's prefix are therefore computed once, and each version is run from its start on. Starts ascend.
"""

from collections.abc import Callable

import torch
from jaxtyping import Int
from torch import Tensor
from transformers import DynamicCache, PreTrainedModel

from memloc.model.micro_batches import in_micro_batches
from memloc.scoring.early_stopping import match_batch
from memloc.scoring.paragraph_scores import Scores, concatenated, redecoded, score_batch
from memloc.settings.scores import Scoring


def score_versions(
    model: PreTrainedModel,
    versions: Int[Tensor, "row chosen token"],
    starts: Int[Tensor, "chosen"],
    n_prefix: int,
    scoring: Scoring,
    nll: bool = True,
) -> Scores:
    """The scores of `paragraph_scores.score` for the versions of all rows, row by row, in less time.

    Version c of a row equals its paragraph up to starts[c]. The keys and values of the prefixes of
    `micro_batch` rows are held, and as many versions are run at a time. Without `nll`, versions are run only
    until their first mismatch, and their NLL is NaN.
    """

    def of_rows(rows: Int[Tensor, "row chosen token"]) -> Scores:
        how = (model, rows, starts, n_prefix, scoring.micro_batch)
        if nll:
            scores = Scores(*run_versions(score_batch, *how))
        else:
            em, margins = run_versions(match_batch, *how)
            scores = Scores(em, torch.full(em.shape, torch.nan), margins, torch.zeros_like(em).bool())
        return redecoded(model, rows.flatten(0, 1), scores, n_prefix, scoring)

    return concatenated(in_micro_batches(of_rows, scoring.micro_batch, versions, grow=False))


@torch.inference_mode()
def run_versions(
    run: Callable[..., tuple[Tensor, ...]],
    model: PreTrainedModel,
    versions: Int[Tensor, "row chosen token"],
    starts: Int[Tensor, "chosen"],
    n_prefix: int,
    micro_batch: int,
) -> list[Tensor]:
    """The columns that `run(model, rows, n_prefix, cache)` returns, for all versions, row by row.

    `micro_batch` versions are run at a time, however few the rows are.
    """
    versions = versions.to(model.device)
    shared = DynamicCache()
    # The last version is the unperturbed paragraph in all tokens that any version shares.
    model.base_model(versions[:, -1, : starts[-1] + 1], cache=shared, use_cache=True)

    def of_some(some: Int[Tensor, "version 2"]) -> tuple[Tensor, ...]:
        chosen, rows = some.to(model.device).unbind(1)
        n_shared = starts[some[0, 0]]
        known = [(keys[rows, :, :n_shared], values[rows, :, :n_shared]) for keys, values, _ in shared]
        return run(model, versions[rows, chosen], n_prefix, DynamicCache(known))

    n_rows, n_versions = versions.shape[:2]
    # Versions that are run together start at the start of the first of them.
    by_start = torch.cartesian_prod(torch.arange(n_versions), torch.arange(n_rows))
    columns = zip(*in_micro_batches(of_some, micro_batch, by_start), strict=True)
    row_by_row = by_start[:, 1].argsort(stable=True)
    return [torch.cat(column).cpu()[row_by_row] for column in columns]
