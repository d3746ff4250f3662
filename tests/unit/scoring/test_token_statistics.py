"""NLL of continuation tokens against the plain model's logits."""

import numpy as np
import pytest
import torch

from memloc.model.subject import Subject
from memloc.scoring.token_statistics import continuation_nll, nll_frame

N_PREFIX = 5


def test_nll_is_that_of_the_plain_logits(tiny_model, tiny_tokens):
    with torch.no_grad():
        logits = tiny_model(tiny_tokens).logits.double()
    nll = continuation_nll(Subject(tiny_model, N_PREFIX, 3), tiny_tokens)
    frame = nll_frame(nll, np.arange(7) * 10, N_PREFIX).set_index(["id", "position"])["nll"]
    for paragraph, position in np.ndindex(7, 12):
        if position >= N_PREFIX:
            log_p = logits[paragraph, position - 1].log_softmax(-1)[tiny_tokens[paragraph, position]]
            assert frame[10 * paragraph, position] == pytest.approx(-log_p.item(), abs=1e-5)
    assert len(frame) == 7 * (tiny_tokens.shape[1] - N_PREFIX)
