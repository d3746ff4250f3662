"""Texts that an edit of a memorized paragraph learns from, and texts that judge it (paper 5.3)."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import pandas as pd
import torch
from jaxtyping import Int
from torch import Tensor

from memloc.data.draws import draw_controls
from memloc.data.paragraphs import sampled_tokens, token_tensor
from memloc.editing.objectives import Objective
from memloc.run.errors import InputError
from memloc.run.seeds import generator
from memloc.settings.editing import Editing


class Case(NamedTuple):
    """One memorized paragraph and the texts around it.

    Unlearning takes the paragraph itself, editing its target. Other texts are in no objective.
    """

    id: int
    memorized: Int[Tensor, "1 token"]
    target: Int[Tensor, "1 token"] | None
    """Its prefix with the continuation of its strongest perturbation (PMP); None: it has none."""
    controls: Int[Tensor, "control token"]
    """Non-memorized paragraphs with their continuation in table `sets`."""
    others: Int[Tensor, "other token"]
    """Other memorized paragraphs."""


def edit_cases(tables: dict[str, pd.DataFrame], n_prefix: int, seed: int, asked: Editing) -> list[Case]:
    """Cases of a random part of the sampled memorized paragraphs, each with its own random texts.

    With `reference`, their targets are `mispaired`.

    `tables` holds paragraphs, sets and perturbed_paragraphs. If they have fewer other paragraphs than asked
    for, a case gets all.

    Raises:
        InputError: too few controls, or no other memorized paragraph.
    """
    paragraphs, sets = tables["paragraphs"], tables["sets"]
    ids, memorized = sampled_tokens(paragraphs, sets, "memorized", n_prefix)
    _, pool = sampled_tokens(paragraphs, sets, "non_memorized", n_prefix)
    chosen = generator(seed, "editing", "paragraphs").permutation(len(ids))[: asked.n_paragraphs]
    drawn = draw_controls(len(chosen), len(pool), asked.n_controls, generator(seed, "editing", "controls"))
    perturbed = tables["perturbed_paragraphs"].itertuples()
    targets = {row.id: torch.tensor(row.tokens)[n_prefix:] for row in perturbed}
    cases = []
    for place, controls in zip(chosen, drawn, strict=True):
        id, text = int(ids[place]), memorized[place : place + 1]
        case = Case(
            id=id,
            memorized=text,
            target=_with_continuation(text, targets[id]) if id in targets else None,
            controls=pool[controls],
            others=other_memorized(paragraphs, sets, [id], asked.n_judging, seed),
        )
        cases.append(case)
    return mispaired(cases, n_prefix, seed) if asked.reference else cases


def with_text_to_learn(cases: Iterable[Case], objective: Objective) -> list[Case]:
    """The cases that the objective can change: for `edit`, those with a target. InputError: none."""
    chosen = [case for case in cases if objective == "unlearn" or case.target is not None]
    if not chosen:
        raise InputError("no perturbation changes any of the memorized paragraphs: there is nothing to edit")
    return chosen


def other_memorized(
    paragraphs: pd.DataFrame, sets: pd.DataFrame, edited: Sequence[int], n_others: int, seed: int
) -> Int[Tensor, "other token"]:
    """Random memorized paragraphs that are not among the edited ones. InputError: there is none."""
    free = sets.loc[(sets["set"] == "memorized") & ~sets["id"].isin(edited), "id"]
    if free.empty:
        raise InputError("editing: no paragraph is left to draw other memorized ones from")
    chosen = generator(seed, "editing", "others").permutation(free)[:n_others]
    return token_tensor(paragraphs.set_index("id")["tokens"].loc[chosen])


def mispaired(cases: Sequence[Case], n_prefix: int, seed: int) -> list[Case]:
    """The cases with their targets' continuations exchanged at random, as in the authors' code."""
    with_target = [case for case in cases if case.target is not None]
    order = generator(seed, "editing", "pairs").permutation(len(with_target))
    exchanged = {
        case.id: _with_continuation(case.memorized, with_target[other].target[0, n_prefix:])
        for case, other in zip(with_target, order, strict=True)
    }
    return [case._replace(target=exchanged.get(case.id)) for case in cases]


def _with_continuation(
    text: Int[Tensor, "1 token"], continuation: Int[Tensor, "continuation"]
) -> Int[Tensor, "1 token"]:
    return torch.cat([text[:, : -len(continuation)], continuation[None]], dim=1)
