"""Tokens of paragraphs as tensors, and the samples that analyses use."""

import numpy as np
import pandas as pd
import pytest
import torch

from memloc.data.paragraphs import attention_ids, paired_tokens, sampled_tokens, token_tensor, used_ids

NAMES = ["memorized", "non_memorized", "partly_11_29", "memorized", "non_memorized", "partly_30_49"]


@pytest.fixture
def tables():
    """Two paragraphs of a set, of which one is sampled; ids are in another order than in `paragraphs`."""
    ids = [12, 7, 3, 9, 5, 4]
    sets = pd.DataFrame({"id": ids, "set": NAMES, "sampled": [False, True, True, True, False, True]})
    sets["sampled_rare_tokens"] = [True, False, False, False, False, False]
    sets["pair"] = pd.array([None, None, 0, 0, None, None], "Int64")
    sets["continuation"] = [[100 + id, 200 + id] if id != 5 else None for id in ids]
    paragraphs = pd.DataFrame({"id": sorted(ids), "tokens": [[id, 0, 1, 2] for id in sorted(ids)]})
    return paragraphs, sets


def test_only_the_sampled_paragraphs_of_a_set_with_their_kept_continuation(tables):
    for name, id in (("memorized", 9), ("non_memorized", 7), ("partly_11_29", 3)):
        ids, tokens = sampled_tokens(*tables, name, 2)
        assert ids.tolist() == [id] and tokens.tolist() == [[id, 0, 100 + id, 200 + id]]


def test_paired_paragraphs_are_of_any_set_and_there_may_be_none(tables):
    paragraphs, sets = tables
    ids, tokens = paired_tokens(paragraphs, sets, 2)
    assert ids.tolist() == [3, 9] and tokens.tolist() == [[3, 0, 103, 203], [9, 0, 109, 209]]
    ids, tokens = paired_tokens(paragraphs, sets[~sets["sampled"]], 2)
    assert len(ids) == 0 and tokens.shape == (0, 4)


def test_attention_is_of_both_sets_of_the_rare_token_sample_and_of_pairs(tables):
    paragraphs, sets = tables
    assert attention_ids(sets).tolist() == [12, 7, 3, 9]
    assert attention_ids(sets.assign(pair=None)).tolist() == [12, 7, 9]


def test_used_paragraphs_have_a_continuation(tables):
    assert used_ids(tables[1]).tolist() == [12, 7, 3, 9, 4]


def test_rows_become_one_tensor_of_whole_numbers():
    found = token_tensor(pd.Series([np.array([1, 2], dtype=np.uint16), [3, 4]]))
    assert found.dtype == torch.int64 and found.tolist() == [[1, 2], [3, 4]]
    with pytest.raises(ValueError, match="same shape"):
        token_tensor([[1, 2], [3]])
