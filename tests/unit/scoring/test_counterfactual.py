"""Counterfactual memorization where the answer is known, and against a loop over models."""

import numpy as np
import pytest
from made_halves import COPIED, MOVED, NOISE, OWN, UNSEEN, N, half_scores

from memloc.scoring.counterfactual import comes_out_anyway, counterfactual, only_moved
from memloc.statistics.uncertainty import difference


@pytest.fixture(scope="module")
def found():
    scores, kinds = half_scores()
    return counterfactual(scores, N).set_index("id"), kinds, scores


def test_what_every_half_holds_a_copy_of_has_difference_0_and_what_one_half_alone_holds_has_1(found):
    table, kinds, _ = found
    assert (table.loc[kinds == COPIED, "recited_difference"] == 0).all()
    assert (table.loc[kinds == OWN, "recited_difference"] == 1).all()
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
            interval = difference(np.array(seen, float), np.array(unseen, float))
            ends = [end if np.isfinite(end) else np.nan for end in interval[:3]]
            assert row[["em_difference", "em_low", "em_high"]].tolist() == pytest.approx(ends, nan_ok=True)


def test_what_no_model_was_trained_on_has_no_difference_and_few_models_no_interval(found):
    table, kinds, _ = found
    unseen = table[kinds == UNSEEN]
    assert (unseen["n_with"] == 0).all() and unseen["nll_without"].notna().all()
    assert unseen[["nll_difference", "em_with", "recited_low"]].isna().all(axis=None)
    few = counterfactual(half_scores(n_models=4)[0], N)
    assert few["nll_difference"].notna().any() and few[["nll_low", "em_high"]].isna().all(axis=None)
