"""Perturb one prefix token at a time, and score the continuation (paper 4).

The token at every prefix position is replaced by a random other one, while the rest of the prefix stays.
Exact match and NLL of the UNPERTURBED continuation under each perturbed prefix come from teacher-forced
passes, so nothing is decoded (paper 3.2).
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from jaxtyping import Int
from torch import Tensor

from memloc.model.subject import Subject, Tokens
from memloc.perturbation.effects import strongest
from memloc.perturbation.perturbed_prefixes import score_versions
from memloc.run.seeds import generator
from memloc.scoring import decoding, paragraph_scores
from memloc.scoring.teacher_forcing import leading_matches
from memloc.settings.perturbation import Perturbation
from memloc.tables.terms.perturbation import UNPERTURBED


def draw_replacements(
    prefix: Int[np.ndarray, "position"], n_vocabulary: int, draws: int, random: np.random.Generator
) -> Int[np.ndarray, "draw position"]:
    """For every position, `draws` random tokens of 0..n_vocabulary-1 other than the prefix's own.

    With more draws, the earlier ones stay the same.
    """
    others = random.integers(n_vocabulary - 1, size=(draws, len(prefix)))
    return others + (others >= prefix)


class Texts(NamedTuple):
    """Paragraphs whose prefixes are perturbed, with tokens of 0..n_vocabulary-1."""

    ids: Int[np.ndarray, "paragraph"]
    tokens: Tokens
    n_vocabulary: int


def perturb_prefixes(
    subject: Subject, texts: Texts, perturbation: Perturbation, threshold: float, seed: int
) -> pd.DataFrame:
    """Score every (paragraph, position, draw); the random tokens of a paragraph depend on seed and id only.

    The token before every prefix is never perturbed, and positions do not count it. With
    `perturbation.reference`, position 0 stays unperturbed, as in the authors' code, which has its baseline
    there. `threshold` is that of near-ties.

    Returns:
        Columns id, position, draw, token (after the perturbation), em (tokens), nll_original (nats per token
        of the unperturbed continuation; NaN unless asked for) and redecoded (a near-tie was decided by
        decoding). Each paragraph has an unperturbed row, with position and token -1 and its nll_original.
    """
    scored = subject.of_preceded
    baseline = paragraph_scores.score(scored, subject.preceded(texts.tokens), threshold)
    versions, positions = _versions(subject.n_prefix, texts, perturbation, seed)
    rows, starts = subject.preceded(versions.flatten(0, 1)), positions + scored.n_prefix - subject.n_prefix
    scores = score_versions(scored, rows, starts, threshold)
    paragraph, draw, chosen = (axis.ravel() for axis in np.indices(versions.shape[:3]))
    put_there = versions[:, :, torch.arange(len(positions)), positions].flatten().numpy()
    at, ids = positions.numpy()[chosen], texts.ids[paragraph]
    frames = [
        _frame(baseline, id=texts.ids, position=UNPERTURBED, draw=0, token=UNPERTURBED),
        _frame(scores, id=ids, position=at, draw=draw, token=put_there),
    ]
    return pd.concat(frames, ignore_index=True)


def _versions(
    n_prefix: int, texts: Texts, how: Perturbation, seed: int
) -> tuple[Int[Tensor, "paragraph draw chosen token"], Int[Tensor, "chosen"]]:
    """The perturbed paragraphs, and the positions that are perturbed in them."""
    positions = torch.arange(int(how.reference), n_prefix)
    prefixes = texts.tokens[:, :n_prefix].numpy()
    drawn = [
        draw_replacements(prefix, texts.n_vocabulary, how.draws, generator(seed, "perturbation", str(id)))
        for id, prefix in zip(texts.ids, prefixes, strict=True)
    ]
    replacements = torch.from_numpy(np.stack(drawn))[..., positions]
    versions = texts.tokens[:, None, None].repeat(1, how.draws, len(positions), 1)
    versions[:, :, torch.arange(len(positions)), positions] = replacements
    return versions, positions


def _frame(scores: paragraph_scores.Scores, **labels: np.ndarray | int) -> pd.DataFrame:
    values = {"em": scores.em, "nll_original": scores.nll, "redecoded": scores.redecoded}
    return pd.DataFrame({**labels, **{name: value.numpy() for name, value in values.items()}})


def perturbed_paragraphs(subject: Subject, perturbation: pd.DataFrame, texts: Texts) -> pd.DataFrame:
    """Each paragraph's strongest perturbation with the greedy continuation of its prefix (a PMP, paper 4).

    Columns: id, position, token, impact_position (the first continuation token that differs), tokens (without
    the token before the prefix), em, nll (nats per token of the new continuation after the perturbed prefix).
    A paragraph whose continuation no perturbation changes is left out.
    """
    chosen = strongest(perturbation).set_index("id").loc[texts.ids]
    n_prefix, n_tokens = subject.n_prefix, texts.tokens.shape[1]
    prefix = texts.tokens[:, :n_prefix].numpy().copy()
    prefix[np.arange(len(prefix)), chosen["position"]] = chosen["token"]
    prefix, scored = subject.preceded(torch.from_numpy(prefix)), subject.of_preceded
    continuation = decoding.greedy_continuation(scored, prefix, n_tokens - n_prefix)
    generated = torch.cat([prefix, continuation], dim=1)
    em = leading_matches(continuation == texts.tokens[:, n_prefix:]).numpy()
    nll = paragraph_scores.teacher_forced(scored, generated).nll
    frame = pd.DataFrame(
        {
            "id": texts.ids,
            "position": chosen["position"].to_numpy(),
            "token": chosen["token"].to_numpy(),
            "impact_position": n_prefix + em,
            "tokens": generated[:, -n_tokens:].tolist(),
            "em": em,
            "nll": nll.numpy(),
        }
    )
    return frame[em < continuation.shape[1]].reset_index(drop=True)
