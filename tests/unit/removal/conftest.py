"""A paragraph that is edited, with the texts around it."""

import pytest
import torch
from made_edits import N_PREFIX, N_TOKENS, own_continuations

from memloc.removal.edit_cases import Case


@pytest.fixture
def case(memorizing_model, memorized_tokens) -> Case:
    """One paragraph that the model knows, with texts that it does not know as controls."""
    random = torch.Generator().manual_seed(5)
    unknown = torch.randint(64, (9, N_TOKENS), generator=random)
    target = memorized_tokens[:1].clone()
    target[:, N_PREFIX:] = memorized_tokens[1, N_PREFIX:]
    perturbed = memorized_tokens[:1].repeat(3, 1)
    perturbed[[0, 1, 2], [0, 4, 9]] += 1
    return Case(
        id=7,
        memorized=memorized_tokens[:1],
        target=target,
        controls=own_continuations(memorizing_model, unknown[:4]),
        held_out=unknown[4:],
        others=memorized_tokens[2:],
        perturbed=perturbed % 64,
    )
