"""Draw the paragraphs to remove, to keep, to choose settings by, and to judge by; no two groups overlap."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from jaxtyping import Int
from torch import Tensor

from memloc.data.paragraphs import sampled_tokens, token_tensor
from memloc.model.subject import Subject, Tokens
from memloc.removal.judging import perturbed_versions
from memloc.run.errors import InputError
from memloc.run.seeds import generator
from memloc.scoring.held_out import Group, judging_texts, with_own_continuations
from memloc.settings.remove import Remove


class Target(NamedTuple):
    """Memorized paragraphs, and versions of their prefixes from which they may still be recited."""

    ids: Int[np.ndarray, "paragraph"]
    tokens: Tokens
    perturbed: Int[Tensor, "paragraph version token"]

    def of(self, rows: slice) -> "Target":
        """Some of the paragraphs."""
        return Target(*(column[rows] for column in self))


class Texts(NamedTuple):
    """All texts of a comparison of ways."""

    target: Target
    keep: Int[Tensor, "kept token"]
    general: Int[Tensor, "general token"]
    validation: Tokens
    """Memorized paragraphs that choose settings."""
    validation_own: Tokens
    """Non-memorized paragraphs, with the model's own continuation, that choose settings."""
    judges: dict[str, Group]
    """Groups memorized (others), non_memorized (with the model's own continuation) and held_out."""


def removed_ids(
    sets: pd.DataFrame, how: Remove, seed: int, listed: Sequence[int] = ()
) -> tuple[Int[np.ndarray, "removed"], Int[np.ndarray, "memorized"]]:
    """The paragraphs that are removed together, and all memorized ones in the order of the draw."""
    memorized = sets.loc[sets["set"] == "memorized", "id"].to_numpy(copy=True)  # there may be none
    order = generator(seed, "removal", "paragraphs").permutation(memorized)
    return np.array(listed) if len(listed) else order[: min(how.n_joint, len(order) // 2)], order


def texts_of(
    subject: Subject, tables: dict[str, pd.DataFrame], how: Remove, seed: int, listed: Sequence[int] = ()
) -> Texts:
    """Draw the texts from tables paragraphs and sets; if no paragraph to remove is listed, random ones.

    Raises:
        InputError: too few paragraphs are left to choose settings by, or to judge.
    """
    paragraphs, sets = tables["paragraphs"], tables["sets"]
    removed, order = removed_ids(sets, how, seed, listed)
    others = order[~np.isin(order, removed)]
    chosen = others[: min(how.n_validation, len(others) // 2)]
    if not len(removed) or not len(chosen):
        raise InputError(
            f"remove: {len(order)} paragraphs are memorized: too few to remove some, to choose settings "
            "by others, and to judge by a third group"
        )
    kept, keep = sampled_tokens(paragraphs, sets, "non_memorized", subject.n_prefix)
    drawn = generator(seed, "removal", "keep").permutation(len(kept))[: how.n_keep]
    free = sets[~sets["id"].isin([*removed, *chosen, *kept[drawn]])]
    n_own = how.n_judging + how.n_validation
    judges = judging_texts(paragraphs, free, seed, n_paragraphs=n_own, n_held_out=how.n_judging)
    general = judges.pop("means").tokens
    judges = with_own_continuations(subject, judges)
    own, n = judges["non_memorized"], min(how.n_validation, len(judges["non_memorized"].ids) // 2)
    judges["non_memorized"] = Group(*(column[n:] for column in own))
    judges["memorized"] = Group(*(column[: how.n_judging] for column in judges["memorized"]))
    tokens = paragraphs.set_index("id")["tokens"]
    return Texts(
        _target(subject, removed, token_tensor(tokens.loc[removed]), how, seed),
        keep[drawn],
        general,
        token_tensor(tokens.loc[chosen]),
        own.tokens[:n],
        judges,
    )


def _target(
    subject: Subject, ids: Int[np.ndarray, "paragraph"], tokens: Tokens, how: Remove, seed: int
) -> Target:
    n_prefix, n_vocabulary, perturbed = subject.n_prefix, subject.model.config.vocab_size, []
    for id, row in zip(ids, tokens, strict=True):
        random = generator(seed, "removal", "perturbed", str(id))
        perturbed.append(perturbed_versions(row, n_prefix, how.n_perturbations, n_vocabulary, random))
    return Target(ids, tokens, torch.stack(perturbed))
