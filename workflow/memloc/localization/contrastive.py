"""Gradients of the unlearning objective after a step down it (paper 5.2, Eq. 3; `editing.objectives`).

At θ0 the KL divergence has its minimum, so its gradient is zero. The objective's gradient is then only -w
times the memorized paragraphs' gradient, and tells nothing new. After one step down the objective both terms
count, and the gradient is taken there.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float, Int
from torch import Tensor

from memloc.data.draws import Parts
from memloc.editing.gradients import Gradients, add_gradients, editable_gradients, take_gradients
from memloc.editing.objectives import SIGN, Terms, collect_objective, original_states
from memloc.editing.optimisers import SparseAdam
from memloc.localization.gradient_parts import Sums
from memloc.localization.parameter_gradients import component_scores
from memloc.model.subject import Subject
from memloc.model.weights import all_weights, moved
from memloc.scoring.losses import log_probabilities
from memloc.settings.localization import Contrastive

STEP_RATE = 1e-5  # learning rate of the one step of Adam: the authors' rate of edits


class Texts(NamedTuple):
    """Paragraphs of an attribution."""

    memorized: Int[Tensor, "memorized token"]
    non_memorized: Int[Tensor, "non_memorized token"]
    drawn: Int[np.ndarray, "memorized control"]
    """For each memorized paragraph, the rows of non-memorized ones that are its controls."""


class Controls(NamedTuple):
    """Paragraphs whose predictions the objective must not change."""

    tokens: Int[Tensor, "control token"]
    original: Float[Tensor, "control continuation width"]
    """Last hidden states under θ0; they give p0, because the unembedding does not move."""
    shares: Float[np.ndarray, "control"]
    """Weight of the KL divergence of each; they sum to one."""


def contrastive_attribution(
    subject: Subject, texts: Texts, nll_gradient: Gradients, parts: Parts, how: Contrastive
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Component scores of the unlearning objective after one step down it (paper 5.2, Figure 4 bottom).

    `nll_gradient` is the memorized paragraphs' mean gradient at θ0. The objective's gradient at θ0 is -w
    times this one. One step of Adam down it moves every W_* weight. The weights are restored bit for bit.

    Returns:
        The rows of `component_scores`, and the scores of samples drawn from parts of the memorized paragraphs
        (`Sums.largest`). Every sample has the KL term of all controls.
    """
    chosen, n_draws = np.unique(texts.drawn, return_counts=True)
    tokens = texts.non_memorized[torch.from_numpy(chosen)]
    controls = Controls(tokens, original_states(subject, tokens), n_draws / texts.drawn.size)
    slopes = {name: SIGN["unlearn"] * how.nll_weight * value for name, value in nll_gradient.items()}
    every = all_weights(subject)
    with moved(subject, every):
        SparseAdam(subject, every, STEP_RATE).step(slopes)
        nll_term, kl_term, sums = contrastive_gradients(
            subject, texts.memorized, parts.members, controls, how
        )
    # The whole KL term, in a row after the parts, counts in each draw of parts.
    with_kl = parts.draws._replace(weights=np.pad(parts.draws.weights, ((0, 0), (0, 1)), constant_values=1.0))
    total = {name: nll_term[name] + kl_term[name] for name in nll_term}
    return component_scores(subject, total, "contrastive"), sums.largest(with_kl, "contrastive")


def contrastive_gradients(
    subject: Subject,
    memorized: Int[Tensor, "memorized token"],
    parts: Sequence[Int[np.ndarray, "member"]],
    controls: Controls,
    how: Contrastive,
) -> tuple[Gradients, Gradients, Sums]:
    """Gradients of the unlearning objective's terms at any θ, mean over memorized paragraphs (paper Eq. 3).

    Because gradients add up, a control that was drawn for several paragraphs is run once. p0 is computed for
    each micro-batch, because it would be large for all controls. The last result has a row for each part of
    the memorized paragraphs, with the gradient of its NLL term. The gradient of the KL term is its last row.
    """
    nll_term, sums = {}, Sums(subject, len(parts) + 1)
    kl = Terms(
        memorized[:0], controls.tokens, lambda rows: log_probabilities(subject, controls.original[rows])
    )
    with editable_gradients(subject):
        for row, members in enumerate(parts):
            nll = kl._replace(learned=memorized[torch.from_numpy(members)], controls=controls.tokens[:0])
            weights = torch.full((len(members),), SIGN["unlearn"] * how.nll_weight)
            collect_objective(subject, nll, weights, how.reference)
            found = take_gradients(subject)
            sums.put(row, found)
            add_gradients(nll_term, found)
        collect_objective(subject, kl, torch.from_numpy(controls.shares).float(), how.reference)
        kl_term = take_gradients(subject)
    sums.put(len(parts), kl_term)
    mean = {name: term / len(memorized) for name, term in nll_term.items()}
    return mean, kl_term, sums
