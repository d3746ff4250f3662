"""Texts that judge what a model does without a part of it."""

import numpy as np
import pytest
import torch
from torch import Tensor

from memloc.scoring.held_out import Group


@pytest.fixture
def texts(memorized_tokens: Tensor) -> dict[str, Group]:
    """Two memorized paragraphs, of which one has chosen something, and unknown ones."""
    unknown = torch.randint(64, (5, 24), generator=torch.Generator().manual_seed(9))
    return {
        "memorized": Group(np.array([3, 1]), memorized_tokens[:2], np.array([False, True])),
        "non_memorized": Group(np.array([5, 6, 7]), unknown[:3], np.zeros(3, dtype=bool)),
        "held_out": Group(np.array([8, 9]), unknown[3:], np.zeros(2, dtype=bool)),
    }
