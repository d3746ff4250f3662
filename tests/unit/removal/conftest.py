"""A paragraph that is edited, with the texts around it, and a comparison of ways to remove some."""

import copy

import numpy as np
import pytest
import torch
from made_edits import N_PREFIX, N_TOKENS
from made_requests import HEADS, SMALL, other_text, subject

from memloc.model.weights import Original
from memloc.removal.edit_cases import Case
from memloc.removal.removal_texts import Texts, _target
from memloc.removal.scoreboard import Comparison
from memloc.scoring.held_out import Group, own_continuations, with_own_continuations
from memloc.settings.remove import Remove


@pytest.fixture
def case(memorizing_model, memorized_tokens) -> Case:
    """One paragraph that the model knows, with texts that it does not know as controls."""
    random = torch.Generator().manual_seed(5)
    unknown = torch.randint(64, (9, N_TOKENS), generator=random)
    target = memorized_tokens[:1].clone()
    target[:, N_PREFIX:] = memorized_tokens[1, N_PREFIX:]
    return Case(
        id=7,
        memorized=memorized_tokens[:1],
        target=target,
        controls=own_continuations(subject(memorizing_model), unknown[:4]),
        others=memorized_tokens[2:],
    )


@pytest.fixture
def study(memorizing_model, memorized_tokens) -> Comparison:
    """Ways to remove the first four paragraphs that the model knows; the next two choose settings."""
    how = Remove(**SMALL)
    groups = zip(("memorized", "non_memorized", "held_out"), (0, 4, 8), strict=True)
    unknown = torch.cat([memorized_tokens[8:], other_text(8)])
    four = {name: np.arange(first, first + 4) for name, first in groups}
    judges = {name: Group(20 + rows, unknown[rows], np.zeros(4, bool)) for name, rows in four.items()}
    own = subject(memorizing_model)
    judges = with_own_continuations(own, judges)
    general = other_text(4, seed=6)
    target = _target(own, np.arange(4), memorized_tokens[:4], how, 0)
    validation = memorized_tokens[4:6], judges["non_memorized"].tokens[:2]
    texts = Texts(target, other_text(3, seed=7), general, *validation, judges)
    retrained = copy.deepcopy(memorizing_model)
    torch.manual_seed(1)
    for weight in retrained.parameters():
        weight.data += 0.3 * weight.data.std() * torch.randn_like(weight)
    others = dict(retrained.named_parameters())
    return Comparison(own, texts, HEADS, how, 0, others)


@pytest.fixture
def original(study) -> Original:
    """The weights of the study's model as they are now."""
    return Original(study.subject)
