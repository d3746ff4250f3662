"""Sets follow from the exact match alone; samples are drawn from their set; pairs are compared."""

import numpy as np
import pandas as pd
import pytest
from made_tables import unlike_tokens
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching

from memloc.data.paragraphs import sampled_tokens
from memloc.data.sets import (
    apart,
    assign_sets,
    exposure,
    paired_differences,
    pairs,
    require_memorized,
    sample_unlike,
    split,
    trained_on,
)
from memloc.run.errors import InputError
from memloc.run.seeds import generator
from memloc.settings.sets import Sets

SIZES = Sets(n_memorized=5, n_non_memorized=4, n_partly=3, n_rare_tokens=10)


@pytest.fixture
def scores():
    rng = np.random.default_rng(0)
    return pd.DataFrame({"id": rng.permutation(1000)[:400], "em": rng.integers(0, 51, 400)})


def test_sets_of_every_exact_match():
    expected = ["non_memorized"] * 11 + ["partly_11_29"] * 19 + ["partly_30_49"] * 20 + ["memorized"]
    assert assign_sets(pd.Series(range(51)), 50).tolist() == expected


@pytest.mark.parametrize("n_continuation", [1, 2, 3, 8, 40, 49, 51, 200])
def test_other_lengths_have_sets_of_the_same_shares(n_continuation):
    sets = assign_sets(pd.Series(range(n_continuation + 1)), n_continuation)
    shares = {"non_memorized": (0, 10 / 50), "partly_11_29": (10 / 50, 30 / 50), "partly_30_49": (30 / 50, 1)}
    for em, name in enumerate(sets[:-1]):
        low, high = shares[name]
        at_most = name == "non_memorized" and em / n_continuation == high
        assert at_most or low <= em / n_continuation < high
    assert sets.iloc[-1] == "memorized" and (sets == "memorized").sum() == 1


@pytest.mark.parametrize(("em", "name"), [([0, 3, 49], "memorized"), ([50, 11, 30], "non_memorized")])
def test_a_set_may_be_empty_and_then_cannot_be_sampled(em, name):
    scores = pd.DataFrame({"id": range(3), "em": em})
    frame = split(scores, 50, SIZES, 0, unlike_tokens)
    frame["continuation"] = [[1] * 50] * 3
    paragraphs = pd.DataFrame({"id": range(3), "tokens": [[1] * 100] * 3})
    assert name not in set(frame["set"])
    with pytest.raises(InputError, match=f"no paragraph is {name.replace('_', '-')}, .* fig2 shows"):
        sampled_tokens(paragraphs, frame, name, 50)


def test_unseen_paragraphs_are_a_set_of_their_own(scores):
    frame = apart(scores["id"][:60], "unseen", 7, 0, unlike_tokens)
    assert set(frame["set"]) == {"unseen"} and frame["id"].tolist() == scores["id"][:60].tolist()
    assert frame["sampled"].sum() == 7 and not frame["sampled_rare_tokens"].any()
    assert apart(scores["id"][:5], "unseen", 7, 0, unlike_tokens)["sampled"].all()
    assert not len(apart(scores["id"][:0], "unseen", 7, 0, unlike_tokens))
    others = split(scores[60:], 50, SIZES, 0, unlike_tokens)
    copies = apart(scores["id"][:3], "held_out", 0, 0, unlike_tokens)
    pd.testing.assert_frame_equal(trained_on(pd.concat([others, frame, copies]))[others.columns], others)


@pytest.mark.parametrize(("n", "held_out"), [(10, 2), (14, 3), (5, 1)])
def test_a_fifth_of_both_sets_is_left_out_of_the_rare_token_sample(n, held_out):
    scores = pd.DataFrame({"id": range(n), "em": [0, 50] * (n // 2) + [0] * (n % 2)})
    frame = split(scores, 50, Sets(), 0, unlike_tokens)
    assert (~frame["sampled_rare_tokens"]).sum() == held_out


@pytest.mark.parametrize("counted", [True, False], ids=["near-copies", "not counted"])
@pytest.mark.parametrize("seed", range(20))
def test_pairs_have_near_counts_of_one_size_and_are_as_many_as_a_matching_can_have(seed, counted):
    rng = np.random.default_rng(seed)
    exposure, near = pd.Series(rng.integers(1, 3, 40)), pd.Series(rng.integers(1, 30, 40))
    memorized = pd.Series(rng.choice([True, False, None], 40, p=[0.3, 0.5, 0.2]), dtype="boolean")
    recited, others = (memorized.index[memorized.eq(value).fillna(False)] for value in (True, False))

    def fit(a, b):
        alike = not counted or max(near[a], near[b]) <= 1.5 * min(near[a], near[b])
        return exposure[a] == exposure[b] and alike

    fits = np.array([[fit(a, b) for b in others] for a in recited])
    best = (maximum_bipartite_matching(csr_array(fits)) >= 0).sum()
    for n in (3, best, 1000):
        numbers = pairs(exposure, memorized, n, generator(seed, "test"), near if counted else None)
        assert sorted(numbers.dropna()) == sorted([*range(min(n, best))] * 2)
        for _, members in numbers.dropna().groupby(numbers):
            first, second = sorted(members.index, key=lambda row: not memorized[row])
            assert fits[recited.get_loc(first), others.get_loc(second)]


def test_copies_of_a_text_are_sampled_where_no_other_text_is_left():
    """Of 40 paragraphs, 30 are one text and 10 are others: 11 texts."""
    ids = pd.Series(np.random.default_rng(0).permutation(40) + 100)
    texts = lambda ids: np.where(np.asarray(ids) < 130, 0, np.asarray(ids))[:, None]  # noqa: E731
    for seed in range(10):
        drawn = sample_unlike(ids, 15, generator(seed, "test"), texts)
        assert len(set(drawn)) == 15 and set(range(130, 140)) <= set(drawn[:11])
        assert {*drawn[:4]} == {*sample_unlike(ids, 4, generator(seed, "test"), texts)}
    assert len({tuple(sample_unlike(ids, 4, generator(seed, "test"), texts)) for seed in range(10)}) == 10


@pytest.mark.parametrize("alike", [range(3), range(4, 7)], ids=["memorized", "others"])
def test_pairs_hold_copies_of_a_text_where_there_are_no_other_pairs(alike):
    texts = lambda rows: np.where(np.isin(rows, alike), 50, rows)[:, None]  # noqa: E731
    memorized = pd.Series([True] * 4 + [False] * 4)
    for seed in range(20):
        numbers = pairs(pd.Series([1] * 8), memorized, 2, generator(seed, "test"), None, texts)
        assert pd.notna(numbers[alike[-1] + 1]) and numbers.notna().sum() == 4
        assert pairs(pd.Series([1] * 8), memorized, 4, generator(seed, "test"), None, texts).notna().all()


def test_every_possible_pair_is_drawn_equally_often():
    exposure, memorized = pd.Series([2, 2, 2, 5, 5, 9]), pd.Series([True, False, False, True, False, True])
    drawn = [pairs(exposure, memorized, 1, generator(seed, "test")) for seed in range(400)]
    counts = pd.Series([tuple(numbers.index[numbers.notna()]) for numbers in drawn]).value_counts()
    assert set(counts.index) == {(0, 1), (0, 2), (3, 4)}
    # One of two pairs is kept; the first holds either of its two rivals. Five standard errors of 400 draws.
    assert abs(counts[3, 4] - 200) < 50 and abs(counts[0, 1] - 100) < 44


@pytest.mark.parametrize("memorized", [[], [True, True], [False, False]])
def test_without_both_kinds_there_are_no_pairs(memorized):
    counts, memorized = pd.Series([3] * len(memorized)), pd.Series(memorized, dtype=bool)
    assert pairs(counts, memorized, 5, generator(0, "t")).isna().all()


def test_exposure_is_the_count_where_continuations_are_not_counted():
    frame = pd.DataFrame({"count": [3, 4], "continuation_count": pd.array([5, None], "Int64")})
    assert exposure(frame).tolist() == [5, 4]
    assert exposure(frame.assign(continuation_count=None)).tolist() == [3, 4]


def test_pairs_are_compared_whatever_the_order_of_their_paragraphs():
    sets = pd.DataFrame(
        {"id": [5, 6, 7, 8, 9], "set": ["partly_11_29", "memorized", "memorized", "unseen", "non_memorized"]}
    )
    sets["pair"] = pd.array([1, 0, 1, None, 0], "Int64")
    values = pd.Series([1.0, 10.0, 100.0, 1000.0, 1e4], index=[9, 8, 7, 6, 5])
    assert paired_differences(values, sets).to_dict() == {0: 1000 - 1, 1: 100 - 1e4}
    assert paired_differences(values.drop(9), sets).to_dict() == {1: 100 - 1e4}
    both = paired_differences(values.to_frame("a").assign(b=0.0), sets)
    assert both.to_dict("list") == {"a": [999.0, 100 - 1e4], "b": [0.0, 0.0]} and both.index.name == "pair"
    assert paired_differences(values, sets.assign(pair=pd.array([None] * 5, "Int64"))).empty


def test_listed_ids_are_those_of_memorized_paragraphs():
    frame = pd.DataFrame({"id": [4, 7, 9], "set": ["memorized", "memorized", "non_memorized"]})
    require_memorized([7, 4], "remove.ids", frame)
    with pytest.raises(InputError, match=r"remove.ids: not memorized paragraphs of this study: \[9, 99\]"):
        require_memorized([4, 99, 9], "remove.ids", frame)
