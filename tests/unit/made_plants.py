"""A small study of plants in a model that knows some paragraphs by heart."""

import numpy as np
import torch

from memloc.editing.masks import OriginalWeights
from memloc.planting.study import Study
from memloc.scoring.held_out import Group
from memloc.settings.planted_truth import PlantedTruth
from tiny_models import VOCABULARY

N_PREFIX = 12
KINDS = {"heads": 0.03, "neurons": 0.03, "weights": 0.03}


def paragraphs(n, seed=5, length=24):
    return torch.randint(VOCABULARY, (n, length), generator=torch.Generator().manual_seed(seed))


def how(**changed):
    settings = {
        "kinds": KINDS,
        "n_plants": 2,
        "tries": 1,
        "n_heads": 1,
        "n_neurons": 24,
        "max_steps": 150,
        "nll": 0.5,
    }
    settings |= {"keep": 2, "keep_weight": 0.05, "kl": 9.0}
    settings |= {"n_judging": 3, "integration_steps": 2, "micro_batch": 4}
    return PlantedTruth(**settings | changed)


def study(model, asked, known):
    groups = zip(("memorized", "non_memorized", "held_out"), (0, 3, 6), strict=True)
    three = {name: np.arange(first, first + 3) for name, first in groups}
    texts = {name: Group(ids, known[ids], np.zeros(3, bool)) for name, ids in three.items()}
    heads = (model.config.num_hidden_layers, model.config.num_attention_heads)
    width = (
        getattr(model.config, "head_dim", None)
        or model.config.hidden_size // model.config.num_attention_heads
    )
    means, counts = torch.zeros(*heads, width), np.arange(VOCABULARY)
    unknown = paragraphs(asked.n_paragraphs)
    ids = np.arange(100, 100 + len(unknown))
    args = (unknown, known, texts, means, counts, N_PREFIX, asked, 0)
    return Study(model, OriginalWeights(model), ids, *args)
