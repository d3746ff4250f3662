"""Methods that score attention heads as the analyses do: ablation, patching, attention to rare tokens.

Query heads that share a key/value head are ablated together; in other methods the strongest of them counts.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from transformers import PreTrainedModel

from memloc.localization.ablation import ablated_scores, ablation
from memloc.localization.head_scores import patching_scores
from memloc.localization.patching import activation_patching
from memloc.localization.rare_tokens import pearson, prefix_ranks
from memloc.model.subject import Subject
from memloc.model.weights import UnitScores
from memloc.planting.question import Question, in_layers


def zero_ablation(subject: Subject, question: Question) -> UnitScores:
    """Rise of the NLL when the head's output is zeroed (`localization.ablation`)."""
    return _ablation(subject, question, torch.zeros_like(question.mean_outputs))


def mean_ablation(subject: Subject, question: Question) -> UnitScores:
    """Rise of the NLL when the head's output is replaced by its mean over other text."""
    return _ablation(subject, question, question.mean_outputs)


def patching(subject: Subject, question: Question) -> UnitScores:
    """Mean |change in NLL| of the impact token when q, k or v are patched at the perturbed token (paper A.3).

    Patches are exact, in both directions (`localization.patching`).
    """
    if question.pair is None:
        return {}
    scores = patching_scores(activation_patching(subject, question.pair), subject.n_heads)
    return _strongest(subject, question, torch.from_numpy(scores.unstack("head").to_numpy(copy=True)))


def rare_tokens(subject: Subject, question: Question) -> UnitScores:
    """Minus the correlation of attention and token rank (rarest first) in the prefix (paper 6.3).

    The attention is the first decoded token's; tokens of equal rank share their mean attention.
    """
    model, n_prefix = subject.model, subject.n_prefix
    ranks = prefix_ranks(question.tokens[:, :n_prefix].numpy(), question.counts)[0]
    with torch.inference_mode(), _eager(model):
        tokens = question.tokens[:, : n_prefix + 1].to(model.device)
        patterns = model.base_model(tokens, output_attentions=True, use_cache=False).attentions
    attention = torch.stack([pattern[0, :, n_prefix, :n_prefix].cpu() for pattern in patterns]).double()
    by_rank = [attention[..., ranks == rank].mean(dim=-1).flatten().numpy() for rank in np.unique(ranks)]
    scores = -np.nan_to_num(pearson(np.stack(by_rank))).reshape(attention.shape[:2])
    return _strongest(subject, question, torch.from_numpy(scores))


def _ablation(
    subject: Subject, question: Question, outputs: Float[Tensor, "layer head d_head"]
) -> UnitScores:
    groups = np.array_split(np.arange(subject.n_heads), subject.n_groups)
    ablations = [
        ablation([(layer, int(head)) for head in heads], outputs)
        for layer in range(subject.n_layers)
        for heads in groups
    ]
    whole, *found = ablated_scores(subject, question.tokens, ablations)
    risen = [float(scores["nll"].iloc[0] - whole["nll"].iloc[0]) for scores in found]
    return in_layers(question, torch.tensor(risen).view(subject.n_layers, -1))


def _strongest(subject: Subject, question: Question, scores: Float[Tensor, "layer head"]) -> UnitScores:
    return in_layers(question, scores.unflatten(1, (subject.n_groups, -1)).amax(dim=2).float())


@contextmanager
def _eager(model: PreTrainedModel) -> Iterator[None]:
    """Within the context, attention is computed so that its pattern is known."""
    before = model.config._attn_implementation
    model.set_attn_implementation("eager")
    try:
        yield
    finally:
        model.set_attn_implementation(before)
