"""Models trained on random halves, and counterfactual memorization where the answer is known."""

import numpy as np
import pandas as pd
import pytest
from made_halves import COPIED, MOVED, NOISE, OWN, UNSEEN, N, half_scores

from memloc.data.packing import windows_without
from memloc.scoring.counterfactual import bits, comes_out_anyway, counterfactual, halves, only_moved
from memloc.statistics.uncertainty import mean


@pytest.fixture(scope="module")
def found():
    scores, kinds = half_scores()
    return counterfactual(scores, N).set_index("id"), kinds, scores


def test_what_every_half_holds_a_copy_of_has_difference_0_and_what_one_half_alone_holds_has_1(found):
    table, kinds, _ = found
    gained = table["recited_with"] - table["recited_without"]
    assert (gained[kinds == COPIED] == 0).all() and (gained[kinds == OWN] == 1).all()
    assert (comes_out_anyway(table) == (kinds == COPIED)).all()
    assert only_moved(table)[kinds == MOVED].all() and not only_moved(table)[kinds == OWN].any()


def test_intervals_hold_what_training_changes_and_of_nothing_mostly_nothing(found):
    table, kinds, _ = found
    own = table[kinds == OWN]
    assert ((own["nll_low"] < -2.5) & (own["nll_high"] > -2.5)).mean() > 0.8
    nothing = table[kinds == NOISE]
    assert ((nothing["nll_low"] < 0) & (nothing["nll_high"] > 0)).mean() > 0.8
    assert only_moved(table)[kinds == NOISE].mean() < 0.2


def test_means_are_those_of_a_loop_over_models(found):
    table, _, scores = found
    for id, row in list(table.iterrows())[::7]:
        own = [each for each in scores.itertuples() if each.id == id]
        seen, unseen = ([each.em for each in own if each.trained == trained] for trained in (True, False))
        assert (row["n_with"], row["n_without"]) == (len(seen), len(unseen))
        assert row["em_without"] == pytest.approx(sum(unseen) / len(unseen))
        if seen:
            interval = mean(seen, unseen)
            ends = [end if np.isfinite(end) else np.nan for end in interval[:3]]
            assert row[["em_difference", "em_low", "em_high"]].tolist() == pytest.approx(ends, nan_ok=True)


def test_what_no_model_was_trained_on_has_no_difference_and_few_models_no_interval(found):
    table, kinds, _ = found
    unseen = table[kinds == UNSEEN]
    assert (unseen["n_with"] == 0).all() and unseen["nll_without"].notna().all()
    assert unseen[["nll_difference", "em_with", "recited_with"]].isna().all(axis=None)
    few = counterfactual(half_scores(n_models=4)[0], N)
    assert few["nll_difference"].notna().any() and few[["nll_low", "em_high"]].isna().all(axis=None)


@pytest.mark.parametrize("n_models", [2, 5, 12])
def test_every_paragraph_is_in_half_of_the_models(n_models):
    drawn = halves(n_models, 300, seed=1)
    assert drawn.shape == (n_models, 300) and (drawn.sum(axis=0) == n_models // 2).all()
    assert (halves(n_models, 300, seed=1) == drawn).all() and (halves(n_models, 300, seed=2) != drawn).any()


def test_two_paragraphs_are_together_by_chance_alone():
    drawn = halves(12, 2000, seed=0)
    together = (drawn[:, ::2] == drawn[:, 1::2]).mean()
    assert abs(together - 0.5) < 0.02


def test_what_is_left_out_is_nowhere_and_the_others_keep_their_order():
    paragraphs = pd.Series([[10 * name + place for place in range(3)] for name in range(1, 6)], range(1, 6))
    ids = [3, 1, 2, 1, 5, 4, 1, 2, 2, 5]
    stream = pd.DataFrame({"id": ids, "tokens": paragraphs.loc[ids].tolist()})
    rows = windows_without(stream, {1, 5}, end_of_text=0, context=8)
    kept = [name for name in ids if name not in (1, 5)]
    text = [token for name in kept for token in (*paragraphs[name], 0)]
    assert rows.shape[1] == 8 and rows.ravel()[: len(text)].tolist() == text
    assert not np.isin(rows, [*paragraphs[1], *paragraphs[5]]).any()
    whole = windows_without(stream, set(), 0, 8)
    assert whole.size >= 4 * len(stream) and (whole == 10).sum() == 3


def test_bits_are_those_that_training_brings(found):
    """20 paragraphs gain 2.5 nats a token, 20 half a nat, and all others none."""
    _, _, scores = found
    held = bits(scores, N)
    planted = 20 * (2.5 + 0.5) * N / np.log(2)
    assert held.low < planted < held.high and held.n == 16
    assert held.high - held.low < 0.1 * planted
    nothing = bits(
        scores.assign(nll=scores["nll"].mean() + np.random.default_rng(0).normal(size=len(scores))), N
    )
    assert nothing.low < 0 < nothing.high


def test_bits_of_few_models_have_no_interval_and_paragraphs_that_few_models_have_do_not_count():
    scores, kinds = half_scores(n_models=4)
    held = bits(scores, N)
    assert held.n == 4 and np.isinf(held.high)
    one = scores[(scores["model"] < 3)]  # one model has each paragraph, or one has it not
    assert bits(one, N).value == 0
