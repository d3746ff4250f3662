"""Add noise to the weights with the largest contrastive gradient (authors' notebook).

If few weights held a memorized paragraph, disturbing them would hurt it more than disturbing as many random
weights, and more than it hurts other text. The weights are the top fraction by the contrastive objective's
gradient, summed over some of the sampled memorized paragraphs. Paragraphs that no analysis has sampled judge
them, where there are enough (`held_out`). Noise is Gaussian. Its size is its standard deviation divided by
the standard deviation of all W_* weights, so that sizes are comparable between models.
"""

from collections.abc import Mapping
from itertools import product

import numpy as np
import pandas as pd
import torch
from jaxtyping import Int

from memloc.editing.gradients import Gradients
from memloc.editing.masks import random_weights, top_weights
from memloc.model.subject import Subject, Tokens
from memloc.model.weights import Movable, moved, n_weights
from memloc.run.seeds import generator
from memloc.scoring.held_out import Group, labels
from memloc.scoring.paragraph_scores import teacher_forced
from memloc.settings.editing import SPARSE_FRACTION
from memloc.settings.interventions import WeightNoise


def standard_deviation(subject: Subject) -> float:
    """Standard deviation of all W_* weights together."""
    return torch.cat([weight.detach().flatten() for weight in subject.weights.values()]).std().item()


@torch.no_grad()
def add_noise(subject: Subject, movable: Movable, deviation: float, random: np.random.Generator) -> None:
    """Add Gaussian noise with this standard deviation to the selected weights."""
    for name, places in movable.items():
        weights = subject.model.get_parameter(name).view(-1)
        noise = random.standard_normal(weights[places].numel(), dtype=np.float32)
        weights[places] += deviation * torch.from_numpy(noise).to(weights)


def choosing_texts(ids: Int[np.ndarray, "paragraph"], tokens: Tokens, n_paragraphs: int, seed: int) -> Group:
    """A random part of the sampled memorized paragraphs, whose gradients choose the weights."""
    chosen = generator(seed, "texts", "memorized").permutation(len(ids))[:n_paragraphs]
    return Group(ids[chosen], tokens[chosen], np.ones(len(chosen), dtype=bool))


def disturb_weights(
    subject: Subject, texts: Mapping[str, Group], gradients: Gradients, how: WeightNoise, seed: int
) -> pd.DataFrame:
    """Scores of the texts after noise was added to top-gradient and to random weights.

    Returns:
        One row per arm (top, random), size (standard deviations of the model's weights; 0 for the intact
        model), draw (of the noise, and of the random weights) and paragraph, with n_weights, group, id, seen,
        em (tokens), nll (nats per token). The model gets its weights back.
    """
    about, tokens = labels(texts), torch.cat([text.tokens for text in texts.values()])
    unit, frames = standard_deviation(subject), []

    def scored() -> pd.DataFrame:
        scores = teacher_forced(subject, tokens)
        return about.assign(em=scores.em.numpy(), nll=scores.nll.double().numpy())

    top, whole = top_weights(gradients, SPARSE_FRACTION), scored()
    for arm, draw in product(("top", "random"), range(how.draws)):
        random, found = generator(seed, "weight_noise", arm, str(draw)), {0.0: whole}
        chosen = top if arm == "top" else random_weights(subject, SPARSE_FRACTION, random)
        for size in sorted(how.sizes):
            with moved(subject, chosen):
                add_noise(subject, chosen, size * unit, random)
                found[float(size)] = scored()
        own = {"arm": arm, "draw": draw, "n_weights": n_weights(subject, chosen)}
        frames += [rows.assign(**own, size=size) for size, rows in found.items()]
    return pd.concat(frames, ignore_index=True)
