"""Noise on, and zeroing of, the weights with the largest contrastive gradient (authors' notebook).

If few weights held a memorized paragraph, disturbing them would hurt it more than disturbing equally many
random ones, and more than it hurts other text. The weights are the top fraction of the contrastive
objective's gradient, summed over the memorized paragraphs. Noise is Gaussian; its standard deviation is given
in units of that of all W_* weights, so that sizes mean the same on every model.
"""

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
import torch
from jaxtyping import Int
from torch import Tensor
from transformers import PreTrainedModel

from memloc.components import editable_parameters
from memloc.gradients import Gradients
from memloc.scoring import teacher_forced
from memloc.seeds import generator
from memloc.weights import Movable, OriginalWeights, n_weights, random_weights, top_weights


def standard_deviation(model: PreTrainedModel) -> float:
    """Standard deviation of all W_* weights together."""
    weights = [model.get_parameter(name).detach().flatten() for name in editable_parameters(model)]
    return torch.cat(weights).std().item()


@torch.no_grad()
def add_noise(
    model: PreTrainedModel, movable: Movable, deviation: float, random: np.random.Generator
) -> None:
    """Add Gaussian noise with this standard deviation to the selected weights."""
    for name, places in movable.items():
        weights = model.get_parameter(name).view(-1)
        noise = random.standard_normal(weights[places].numel(), dtype=np.float32)
        weights[places] += deviation * torch.from_numpy(noise).to(weights)


@torch.no_grad()
def set_to_zero(model: PreTrainedModel, movable: Movable) -> None:
    """Zero the selected weights."""
    for name, places in movable.items():
        model.get_parameter(name).view(-1)[places] = 0


def mean_scores(
    model: PreTrainedModel,
    texts: Mapping[str, Int[Tensor, "paragraph token"]],
    n_prefix: int,
    micro_batch: int,
) -> dict[str, float]:
    """em_<group> (tokens) and nll_<group> (nats per token): the means of every group of texts."""
    means = {}
    for group, tokens in texts.items():
        scores = teacher_forced(model, tokens, n_prefix, micro_batch)
        means |= {f"em_{group}": scores.em.float().mean().item(), f"nll_{group}": scores.nll.mean().item()}
    return means


def disturb_weights(
    model: PreTrainedModel,
    texts: Mapping[str, Int[Tensor, "paragraph token"]],
    gradients: Gradients,
    fraction: float,
    sizes: Iterable[float],
    draws: int,
    n_prefix: int,
    micro_batch: int,
    seed: int,
) -> pd.DataFrame:
    """Scores of the texts after noise on, and zeroing of, top-gradient and random weights.

    Returns:
        One row per arm (top, random), kind (noise, zero), size (standard deviations of the model's weights; 0
        for the model as it is, null for zeroing) and draw (of the noise, and of the random weights), with
        n_weights and the columns of `mean_scores`. The model has its weights back afterwards.
    """
    original, unit = OriginalWeights(model), standard_deviation(model)
    whole, rows = mean_scores(model, texts, n_prefix, micro_batch), []
    plan = [("noise", float(size)) for size in sorted({0.0, *sizes})] + [("zero", None)]
    for arm in ("top", "random"):
        for draw in range(draws):
            random = generator(seed, "weight_noise", arm, str(draw))
            chosen = (
                top_weights(gradients, fraction) if arm == "top" else random_weights(model, fraction, random)
            )
            for kind, size in plan:
                if kind == "zero":
                    set_to_zero(model, chosen)
                elif size:
                    add_noise(model, chosen, size * unit, random)
                scores = mean_scores(model, texts, n_prefix, micro_batch) if size != 0 else whole
                original.restore(model)
                labels = {"arm": arm, "kind": kind, "size": size, "draw": draw}
                rows.append({**labels, "n_weights": n_weights(model, chosen), **scores})
    return pd.DataFrame(rows).astype({"size": float})
