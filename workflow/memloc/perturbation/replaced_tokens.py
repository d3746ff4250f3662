"""Perturb one prefix token at a time and see what becomes of the continuation (paper 4).

The token at every prefix position is replaced by a random other one, while the rest of the prefix stays, or
it is deleted or swapped (`kinds`). Exact match and NLL of the UNPERTURBED continuation under each perturbed
prefix come from teacher-forced passes, so nothing is decoded (paper 3.2).
"""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float, Int
from torch import Tensor

from memloc.data.paragraphs import with_token_before
from memloc.perturbation import kinds
from memloc.perturbation.effects import strongest
from memloc.perturbation.perturbed_prefixes import match_versions, score_versions
from memloc.run.seeds import generator
from memloc.scoring import decoding, paragraph_scores
from memloc.scoring.metrics import exact_match
from memloc.settings.perturbation import Perturbation
from memloc.settings.scores import Scoring
from memloc.tables.terms.perturbation import UNPERTURBED

if TYPE_CHECKING:
    from transformers import PreTrainedModel


def draw_replacements(
    prefix: Int[np.ndarray, "position"], n_vocabulary: int, draws: int, random: np.random.Generator
) -> Int[np.ndarray, "draw position"]:
    """For every position `draws` tokens of 0..n_vocabulary-1, uniform over those that are not the prefix's.

    With more draws, the earlier ones stay the same.
    """
    others = random.integers(n_vocabulary - 1, size=(draws, len(prefix)))
    return others + (others >= prefix)


def perturb_prefixes(
    model: "PreTrainedModel",
    ids: Int[np.ndarray, "paragraph"],
    tokens: Int[Tensor, "paragraph token"],
    n_prefix: int,
    n_vocabulary: int,
    perturbation: Perturbation,
    scoring: Scoring,
    seed: int,
    before: int | None = None,
) -> pd.DataFrame:
    """Score every (paragraph, position, draw); the random tokens of a paragraph depend on seed and id only.

    Args:
        perturbation: without `nll`, perturbed paragraphs are run until their first mismatch only. With
            `reference`, position 0 stays unperturbed, as in the authors' code, whose baseline is there, and
            nll_generated is given, which that code plots.
        scoring: its threshold of near-ties counts; the micro-batch is that of `perturbation`.
        before: a token that stands before every prefix and is never perturbed (`paragraph.before`); positions
            are those of the prefix all the same.

    Returns:
        id, position, draw, token (the one that is there then), em (tokens), nll_original (nats per token, of
        the unperturbed continuation; NaN unless asked for), nll_generated (of the model's own greedy
        continuation under the perturbed prefix; NaN without `reference`), redecoded (a near-tie, decided by
        decoding). Position and token of each paragraph's baseline row are -1; its nll_original is always
        given. The kind of perturbation.
    """
    kind = perturbation.kind
    positions = kinds.positions(kind, n_prefix, int(perturbation.reference))
    replacements = _draw(ids, tokens[:, :n_prefix], n_vocabulary, perturbation.draws, seed)[..., positions]
    perturbed = kinds.versions(tokens, kind, positions, replacements).flatten(0, 1)
    n_before = int(before is not None)
    unperturbed, versions = (with_token_before(text, before) for text in (tokens, perturbed))
    starts = kinds.first_changed(kind, positions) + n_before
    batch = (n_before + n_prefix, perturbation.micro_batch)
    scoring = scoring.model_copy(update={"micro_batch": perturbation.micro_batch})
    baseline = paragraph_scores.score(model, unperturbed, n_before + n_prefix, scoring)
    run = score_versions if perturbation.nll else match_versions
    scores = run(model, versions, starts, n_before + n_prefix, scoring)

    paragraph, draw, chosen = (axis.ravel() for axis in np.indices(replacements.shape))
    labels = {"id": ids[paragraph], "position": positions.numpy()[chosen], "draw": draw}
    put_there = perturbed[:, torch.arange(len(positions)), positions].flatten().numpy()
    frames = [
        _frame(baseline, id=ids, position=UNPERTURBED, draw=0, token=UNPERTURBED),
        _frame(scores, **labels, token=put_there),
    ]
    if perturbation.reference:
        frames[0]["nll_generated"] = generated_nll(model, unperturbed, baseline.em, *batch).numpy()
        frames[1]["nll_generated"] = generated_nll(model, versions.flatten(0, 1), scores.em, *batch).numpy()
    return pd.concat(frames, ignore_index=True).assign(kind=kind)


def _draw(
    ids: Int[np.ndarray, "paragraph"],
    prefixes: Int[Tensor, "paragraph position"],
    n_vocabulary: int,
    draws: int,
    seed: int,
) -> Int[Tensor, "paragraph draw position"]:
    streams = [generator(seed, "perturbation", str(name)) for name in ids]
    drawn = [
        draw_replacements(prefix, n_vocabulary, draws, random)
        for prefix, random in zip(prefixes.numpy(), streams, strict=True)
    ]
    return torch.from_numpy(np.stack(drawn))


def _frame(scores: paragraph_scores.Scores, **labels: np.ndarray | int) -> pd.DataFrame:
    values = {"em": scores.em, "nll_original": scores.nll, "redecoded": scores.redecoded}
    values = {name: value.numpy() for name, value in values.items()}
    return pd.DataFrame({**labels, **values, "nll_generated": np.nan})


def generated_nll(
    model: "PreTrainedModel",
    tokens: Int[Tensor, "paragraph token"],
    em: Int[Tensor, "paragraph"],
    n_prefix: int,
    micro_batch: int,
) -> Float[Tensor, "paragraph"]:
    """NLL (nats per token) of the model's own greedy continuation of each prefix.

    `em` is the exact match of the continuation that `tokens` holds.
    """
    continuation = decoding.continue_from_scores(model, tokens, em, n_prefix, micro_batch)
    generated = torch.cat([tokens[:, :n_prefix], continuation], dim=1)
    return paragraph_scores.teacher_forced(model, generated, n_prefix, micro_batch).nll


def version(tokens: Int[Tensor, "token"], row: Any) -> Int[Tensor, "1 token"]:
    """A paragraph perturbed as a row of the table (kind, position, token) says."""
    at, replacement = torch.tensor([row.position]), torch.tensor([[[row.token]]])
    return kinds.versions(tokens[None], row.kind, at, replacement)[0, 0]


def perturbed_paragraphs(
    model: "PreTrainedModel",
    perturbation: pd.DataFrame,
    ids: Int[np.ndarray, "paragraph"],
    tokens: Int[Tensor, "paragraph token"],
    n_prefix: int,
    micro_batch: int,
    before: int | None = None,
) -> pd.DataFrame:
    """Each paragraph's strongest perturbation with the greedy continuation that it leads to (a PMP, paper 4).

    Columns: id, position, token, impact_position (the first continuation token that differs), tokens, em, nll
    (nats per token, of the continuation that is given, under the perturbed prefix). A paragraph whose
    continuation no perturbation changes has no such counterpart and is left out. The tokens are those of the
    paragraph, without the one `before` it.
    """
    chosen = strongest(perturbation).set_index("id").loc[ids]
    prefix = torch.cat([version(own, row) for own, row in zip(tokens, chosen.itertuples(), strict=True)])
    prefix = with_token_before(prefix[:, :n_prefix], before)
    continuation = decoding.greedy_continuation(model, prefix, tokens.shape[1] - n_prefix, micro_batch)
    generated = torch.cat([prefix, continuation], dim=1)
    em = exact_match(continuation, tokens[:, n_prefix:]).numpy()
    frame = pd.DataFrame(
        {
            "id": ids,
            "position": chosen["position"].to_numpy(),
            "token": chosen["token"].to_numpy(),
            "impact_position": n_prefix + em,
            "tokens": generated[:, -tokens.shape[1] :].tolist(),
            "em": em,
            "nll": paragraph_scores.teacher_forced(
                model, generated, prefix.shape[1], micro_batch
            ).nll.numpy(),
        }
    )
    return frame[em < continuation.shape[1]].reset_index(drop=True)
