"""Score many versions of a paragraph, each with a perturbed token in its prefix (paper 4).

A version equals its paragraph up to its start, the first token that is changed. The keys and values of a
paragraph's prefix are therefore computed once, and each version is run from its start on. Starts ascend.
"""

from collections.abc import Callable
from functools import partial

import torch
from jaxtyping import Bool, Int
from torch import Tensor
from transformers import DynamicCache, PreTrainedModel

from memloc.model.micro_batches import in_micro_batches
from memloc.scoring import paragraph_scores
from memloc.scoring.early_stopping import match_batch
from memloc.scoring.screening import least_sure_lead
from memloc.settings.scores import Scoring


def score_versions(
    model: PreTrainedModel,
    versions: Int[Tensor, "row chosen token"],
    starts: Int[Tensor, "chosen"],
    n_prefix: int,
    scoring: Scoring,
) -> paragraph_scores.Scores:
    """The scores of `paragraph_scores.score` for the versions of each row, flattened, in less time. Version c
    of a row is its paragraph up to starts[c]. The keys and values of the prefixes of `micro_batch` rows
    are held, and as many versions are run at a time.
    """

    def of_rows(rows: Int[Tensor, "row chosen token"]) -> paragraph_scores.Scores:
        everything = torch.ones(rows.shape[:2], dtype=torch.bool)
        found = run_versions(
            paragraph_scores.score_batch, model, rows, starts, n_prefix, everything, scoring.micro_batch
        )
        return paragraph_scores.redecoded(
            model, rows.flatten(0, 1), paragraph_scores.Scores(*found), n_prefix, scoring
        )

    return paragraph_scores.concatenated(in_micro_batches(of_rows, scoring.micro_batch, versions, grow=False))


@torch.inference_mode()
def match_versions(
    model: PreTrainedModel,
    screen: PreTrainedModel | None,
    versions: Int[Tensor, "row chosen token"],
    starts: Int[Tensor, "chosen"],
    n_prefix: int,
    scoring: Scoring,
) -> paragraph_scores.Scores:
    """Exact matches of `score_versions`, in less time: without NLL and margins (NaN).

    Versions are run until their first mismatch only. With a `screen` (`screening_model`), `model`
    runs only those that it leaves unsure; the others are not redecoded.
    """

    def of_rows(rows: Int[Tensor, "row chosen token"]) -> paragraph_scores.Scores:
        em, unsure = torch.zeros(rows.shape[:2]).long(), torch.ones(rows.shape[:2]).bool()
        if screen is not None:
            sample = rows[:, len(starts) // 2].to(model.device)  # versions of one start stand for all
            least = least_sure_lead(model, screen, sample, n_prefix)
            if least < torch.inf:
                em, unsure = _screened(screen, rows, starts, n_prefix, scoring.micro_batch, least)
        redecoded = torch.zeros_like(unsure)
        if unsure.any():
            found, margins, _ = run_versions(
                match_batch, model, rows, starts, n_prefix, unsure, scoring.micro_batch
            )
            em[unsure], redecoded[unsure] = paragraph_scores.redecode(
                model, rows[unsure], found, margins, n_prefix, scoring
            )
        unknown = torch.full((em.numel(), rows.shape[-1] - n_prefix), torch.nan)
        return paragraph_scores.Scores(em.flatten(), unknown[:, 0], unknown, redecoded.flatten())

    return paragraph_scores.concatenated(in_micro_batches(of_rows, scoring.micro_batch, versions, grow=False))


def _screened(
    screen: PreTrainedModel,
    rows: Int[Tensor, "row chosen token"],
    starts: Int[Tensor, "chosen"],
    n_prefix: int,
    micro_batch: int,
    least: float,
) -> tuple[Int[Tensor, "row chosen"], Bool[Tensor, "row chosen"]]:
    """Exact matches by the screening model, and whether any of its decisions has a lead below `least`."""
    quick, everything = partial(match_batch, least_lead=least), torch.ones(rows.shape[:2]).bool()
    em, _, lead = run_versions(quick, screen, rows, starts, n_prefix, everything, micro_batch)
    return em.view(everything.shape), (lead < least).view(everything.shape)


@torch.inference_mode()
def run_versions(
    run: Callable[..., tuple[Tensor, ...]],
    model: PreTrainedModel,
    versions: Int[Tensor, "row chosen token"],
    starts: Int[Tensor, "chosen"],
    n_prefix: int,
    wanted: Bool[Tensor, "row chosen"],
    micro_batch: int,
) -> list[Tensor]:
    """Columns that `run(model, rows, n_prefix, cache)` gives for the wanted versions, as in versions[wanted].

    At least one version must be wanted; `micro_batch` of them are run at a time, however few the rows are.
    """
    versions = versions.to(model.device)
    shared = DynamicCache()
    # The last version is the unperturbed paragraph in all tokens that any version shares.
    model.base_model(versions[:, -1, : starts[-1] + 1], cache=shared, use_cache=True)

    def of_some(some: Int[Tensor, "version 2"]) -> tuple[Tensor, ...]:
        chosen, rows = some.to(model.device).unbind(1)
        return run(model, versions[rows, chosen], n_prefix, _first(shared, rows, starts[some[0, 0]]))

    by_start = wanted.T.nonzero()  # neighbours start together, at the first one's own token
    columns = zip(*in_micro_batches(of_some, micro_batch, by_start), strict=True)
    row_by_row = by_start[:, 1].argsort(stable=True)
    return [torch.cat(column).cpu()[row_by_row] for column in columns]


def _first(cache: DynamicCache, rows: Int[Tensor, "some"], n_tokens: Int[Tensor, ""]) -> DynamicCache:
    """A cache of the first tokens of some rows, which can be extended without touching `cache`."""
    return DynamicCache([(keys[rows, :, :n_tokens], values[rows, :, :n_tokens]) for keys, values, _ in cache])
