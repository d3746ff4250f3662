"""When a screening model is trusted, by hand; whole screenings: test_perturbed_prefixes.py."""

import math

import pytest
import torch

from memloc.scoring import screening
from memloc.scoring.teacher_forcing import TokenScores

# Whether each token of a continuation matches, and its lead in bfloat16. All leads are 0.1 too small, which
# makes 1.2 the least that is trusted.
SURE = ([True, True, True], [2.0, 2.0, 2.0])
SURE_UP_TO_ITS_MISMATCH = ([True, False, True], [2.0, -2.0, 0.5])
UNSURE = ([True, True, True], [2.0, 1.1, 2.0])
UNSURE_OF_ITS_MISMATCH = ([True, False, True], [2.0, -1.1, 2.0])


@pytest.mark.parametrize(
    ("paragraphs", "trusted"),
    [
        ([SURE, SURE_UP_TO_ITS_MISMATCH, UNSURE, UNSURE_OF_ITS_MISMATCH], True),
        ([SURE_UP_TO_ITS_MISMATCH] * 3 + [UNSURE], True),
        ([UNSURE, UNSURE, UNSURE_OF_ITS_MISMATCH, SURE], False),
    ],
)
def test_a_screening_model_is_trusted_unless_it_is_unsure_of_more_than_half(monkeypatch, paragraphs, trusted):
    matched, lead = (torch.tensor(column) for column in zip(*paragraphs, strict=True))
    rows, unknown = torch.zeros(len(paragraphs), 5, dtype=torch.long), torch.zeros_like(lead)

    def scores(model, _states, true):
        assert true.shape == lead.shape
        return TokenScores(matched, unknown, lead + 0.1 if model == "model" else lead, unknown)

    monkeypatch.setattr(screening, "continuation_states", lambda *_: None)
    monkeypatch.setattr(screening, "score_tokens", scores)
    found = screening.least_sure_lead("model", "screen", rows, 2)
    assert found == pytest.approx(1.2 if trusted else math.inf)
