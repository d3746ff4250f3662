"""Score many versions of a paragraph, each with a perturbed token in its prefix (paper 4).

A version equals its paragraph up to its start, the first token that is changed. The keys and values of a
paragraph's prefix are therefore computed once, and each version is run from its start on. Starts ascend.
"""

import torch
from jaxtyping import Int
from torch import Tensor
from transformers import DynamicCache

from memloc.model.subject import Subject, in_micro_batches
from memloc.scoring.paragraph_scores import Scores, concatenated, redecoded, score_batch


def score_versions(
    subject: Subject,
    versions: Int[Tensor, "row chosen token"],
    starts: Int[Tensor, "chosen"],
    threshold: float,
) -> Scores:
    """The scores of `paragraph_scores.score` for the versions of all rows, row by row, in less time.

    Version c of a row equals its paragraph up to starts[c]. The keys and values of the prefixes of a
    micro-batch of rows are held, and as many versions are run at a time.
    """

    def of_rows(rows: Int[Tensor, "row chosen token"]) -> Scores:
        return redecoded(subject, rows.flatten(0, 1), run_versions(subject, rows, starts), threshold)

    return concatenated(subject.in_batches(of_rows, versions))


@torch.inference_mode()
def run_versions(
    subject: Subject, versions: Int[Tensor, "row chosen token"], starts: Int[Tensor, "chosen"]
) -> Scores:
    """The scores of `paragraph_scores.score_batch` for all versions, row by row.

    A micro-batch of versions is run at a time, however few the rows are.
    """
    shared = DynamicCache()
    # The last version is the unperturbed paragraph in all tokens that any version shares.
    subject.hidden(versions[:, -1, : starts[-1] + 1], shared)

    def of_some(some: Int[Tensor, "version 2"]) -> Scores:
        chosen, rows = some.to(versions.device).unbind(1)
        n_shared = starts[some[0, 0]]
        known = [(keys[rows, :, :n_shared], values[rows, :, :n_shared]) for keys, values, _ in shared]
        return score_batch(subject, versions[rows, chosen], DynamicCache(known))

    n_rows, n_versions = versions.shape[:2]
    # Versions that are run together start at the start of the first of them.
    by_start = torch.cartesian_prod(torch.arange(n_versions), torch.arange(n_rows))
    found = concatenated(in_micro_batches(of_some, subject.micro_batch, by_start))
    row_by_row = by_start[:, 1].argsort(stable=True)
    return Scores(*(column[row_by_row] for column in found))
