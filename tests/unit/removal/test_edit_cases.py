"""The texts that an edit learns from and is judged by: which they are, and who draws them."""

import numpy as np
import pandas as pd
import pytest
import torch
from made_edits import N_PREFIX

from memloc.removal.edit_cases import edit_cases, with_text_to_learn
from memloc.run.seeds import generator
from memloc.settings.editing import Editing


@pytest.fixture
def tables() -> dict[str, pd.DataFrame]:
    """Twelve memorized (six sampled) and ten other paragraphs (four sampled), distinct tokens everywhere."""
    ids = np.arange(22)
    tokens = [list(range(24 * number, 24 * number + 24)) for number in ids]
    own = [list(range(1000 + 20 * number, 1000 + 20 * number + 14)) for number in ids]
    memorized = ids < 12
    sampled = (ids % 2 == 0) & (ids < 20)
    each = zip(tokens, own, memorized, sampled, strict=True)
    continuation = [row[10:] if known else mine if drawn else None for row, mine, known, drawn in each]
    sets = pd.DataFrame({"id": ids, "set": np.where(memorized, "memorized", "non_memorized")})
    sets = sets.assign(sampled=sampled, sampled_rare_tokens=ids == 21, continuation=continuation)
    perturbed = [tokens[number][:9] + [9009] + [7000 + number] * 14 for number in (0, 2, 4, 6, 8)]
    return {
        "paragraphs": pd.DataFrame({"id": ids, "tokens": tokens}),
        "sets": sets,
        "perturbed_paragraphs": pd.DataFrame({"id": [0, 2, 4, 6, 8], "tokens": perturbed}),
    }


COUNTS = Editing(n_paragraphs=6, n_controls=3, n_judging=4)


@pytest.mark.parametrize("seed", [0, 1])
def test_targets_of_the_authors_are_those_of_other_paragraphs(tables, seed):
    asked = COUNTS.model_copy(update={"reference": True})
    own, exchanged = (edit_cases(tables, N_PREFIX, seed, how) for how in (COUNTS, asked))
    assert [case.id for case in exchanged] == [case.id for case in own]
    with_target = [case.id for case in own if case.target is not None]
    order = generator(seed, "editing", "pairs").permutation(5)
    pairs = {case.id: int(case.target[0, N_PREFIX]) - 7000 for case in exchanged if case.target is not None}
    assert pairs == {name: with_target[other] for name, other in zip(with_target, order, strict=True)}
    assert any(name != other for name, other in pairs.items())
    for case in exchanged:
        if case.target is not None:
            assert torch.equal(case.target[:, :N_PREFIX], case.memorized[:, :N_PREFIX])
        else:
            assert case.id == 10


def test_nothing_to_edit_is_an_error(case):
    without = case._replace(id=8, target=None)
    assert [chosen.id for chosen in with_text_to_learn([without, case], "edit")] == [case.id]
    assert len(with_text_to_learn([without, case], "unlearn")) == 2
    with pytest.raises(ValueError, match="there is nothing to edit"):
        with_text_to_learn([without], "edit")
