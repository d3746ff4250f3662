"""Rank and correlation tables against loops."""

import numpy as np
import pytest
from scipy import stats

from memloc.localization.rare_tokens import (
    null_sums,
    pearson,
    prefix_ranks,
    rank_attention,
    rank_correlation,
    rank_groups,
    rank_null,
)

N_PARAGRAPHS, N_POSITIONS, N_VOCABULARY = 200, 20, 60
RARE, EVEN = (1, 0), (0, 2)  # layer, head


@pytest.fixture
def ranks():
    """Some paragraphs repeat few tokens, others hold many: high ranks are scarce, as in real text."""
    random = np.random.default_rng(0)
    n_different = random.integers(2, N_POSITIONS, size=(N_PARAGRAPHS, 1))
    prefix = random.integers(n_different, size=(N_PARAGRAPHS, N_POSITIONS))
    return prefix_ranks(prefix, np.bincount(prefix.ravel(), minlength=N_VOCABULARY))


@pytest.fixture
def attention(ranks):
    """Two layers of three heads: one looks for rare tokens, one is almost even, the others are random."""
    random = np.random.default_rng(1)
    scores = random.normal(size=(N_PARAGRAPHS, 2, 3, N_POSITIONS))
    scores[:, *RARE] = -0.5 * ranks + 0.3 * scores[:, *RARE]
    scores[:, *EVEN] *= 0.01
    weights = np.exp(scores)
    return (weights / weights.sum(axis=-1, keepdims=True)).astype(np.float32)


def test_rarest_token_has_rank_zero_and_ties_share_a_rank():
    counts = np.array([50, 3, 3, 1000, 7])
    expected = [[1, 0, 0, 2, 0], [2, 2, 0, 0, 1]]
    assert prefix_ranks(np.array([[0, 1, 2, 3, 1], [3, 3, 4, 4, 0]]), counts).tolist() == expected


def test_table_equals_a_loop(attention, ranks):
    frame = rank_attention(attention, ranks)
    assert len(frame) == 2 * 3 * (ranks.max() + 1)
    for row in frame.itertuples():
        values = [
            float(attention[paragraph, row.layer, row.head, position])
            for paragraph in range(N_PARAGRAPHS)
            for position in range(N_POSITIONS)
            if ranks[paragraph, position] == row.rank
        ]
        assert row.occurrences == len(values)
        assert row.attention_sum == pytest.approx(sum(values), rel=1e-12)
        assert row.attention_mean == pytest.approx(sum(values) / len(values), rel=1e-12)


def test_correlation_equals_that_of_scipy():
    values = np.random.default_rng(2).integers(0, 8, size=(15, 30)).astype(float)  # with ties
    expected = [stats.pearsonr(np.arange(15), column).statistic for column in values.T]
    np.testing.assert_allclose(pearson(values), expected, atol=1e-12)
    constant = np.tile([1.0, 0.1, 0.3, 1 / 3, -0.7], (15, 1))  # the mean of some is not the number itself
    assert np.isnan(pearson(constant)).all(), "nothing goes with what is constant"


def test_null_reassigns_attention_within_each_paragraph(attention, ranks):
    """With one permutation, the null is the correlation under that permutation, made here by hand."""
    null = null_sums(attention, ranks, 1, np.random.default_rng(4))
    frame = rank_correlation(attention, ranks, null)
    shuffled = np.random.default_rng(4).permuted(ranks, axis=1)
    assert (np.sort(shuffled) == np.sort(ranks)).all()
    table = rank_attention(attention, shuffled).set_index(["layer", "head"])
    for row in frame.itertuples():
        sums = table.loc[(row.layer, row.head)]
        expected = stats.pearsonr(sums["rank"], sums.attention_sum)[0]
        assert row.pearson_null_q025 == row.pearson_null_q975 == pytest.approx(expected)


def test_null_by_rank_is_the_table_of_a_permutation_in_the_same_rows(attention, ranks):
    shuffled = np.random.default_rng(4).permuted(ranks, axis=1)
    null = rank_null(null_sums(attention, ranks, 1, np.random.default_rng(4)), ranks)
    expected = rank_attention(attention, shuffled)
    np.testing.assert_allclose(null.attention_mean_null_q975, expected.attention_mean, rtol=1e-12)
    assert expected.occurrences.equals(rank_attention(attention, ranks).occurrences)


def test_a_group_holds_every_nth_paragraph_and_what_permutations_give_on_average(attention, ranks):
    groups = rank_groups(attention, ranks, n_groups=7)
    mine = slice(3, None, 7)
    own = rank_attention(attention[mine], ranks[mine])
    found = groups[groups["group"] == 3].sort_values(["layer", "head", "rank"], ignore_index=True)
    for name in ("layer", "head", "rank", "attention_sum", "occurrences"):
        np.testing.assert_allclose(found[name], own[name], rtol=1e-12)
    random = np.random.default_rng(8)
    orders = [random.permuted(ranks[mine], axis=1) for _ in range(400)]
    drawn = [rank_attention(attention[mine], order)["attention_sum"] for order in orders]
    error = np.std(drawn, axis=0) / np.sqrt(len(drawn))
    assert (np.abs(np.mean(drawn, axis=0) - found["attention_expected"]) < 4.5 * error + 1e-12).all()
