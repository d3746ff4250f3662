"""What localization methods are asked in tests: a random paragraph and a perturbed version of it."""

import numpy as np
import torch

from memloc.model.subject import Subject
from memloc.model.weights import marked
from memloc.perturbation.pairs import Pairs
from memloc.planting.question import Question
from memloc.settings.grown_truth import GrownTruth
from tiny_models import VOCABULARY

N_PREFIX = 6


def subject(model):
    """The subject of questions."""
    return Subject(model, N_PREFIX, 3)


def question(model, wanted=("head", "layer", "weight"), seed=0, **how):
    tokens = torch.randint(VOCABULARY, (1, 12), generator=torch.Generator().manual_seed(3))
    other = tokens.clone()
    other[0, 2] = (tokens[0, 2] + 1) % VOCABULARY
    other[0, N_PREFIX:] = (tokens[0, N_PREFIX:] + 7) % VOCABULARY
    pair = Pairs(np.array([0]), tokens, other, torch.tensor([2]), torch.tensor([N_PREFIX]))
    config, settings = model.config, GrownTruth(**{"integration_steps": 4} | how)
    d_head = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    means = torch.zeros(config.num_hidden_layers, config.num_attention_heads, d_head)
    random, place = np.random.default_rng(seed), marked(subject(model), {})
    return Question(tokens, wanted, settings, random, pair, means, np.arange(VOCABULARY), place)
