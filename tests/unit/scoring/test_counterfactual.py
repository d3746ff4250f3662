"""Models trained on random halves, and counterfactual memorization where the answer is known."""

import numpy as np
import pytest
from made_halves import COPIED, MOVED, NOISE, OWN, TEMPLATE, UNSEEN, N, half_scores, of_kinds

from memloc.scoring.counterfactual import bits, comes_out, counterfactual, only_moved
from memloc.statistics.uncertainty import mean


@pytest.fixture(scope="module")
def found():
    scores, kinds = half_scores()
    return counterfactual(scores, N).set_index("id"), kinds, scores


def test_what_every_half_holds_a_copy_of_has_difference_0_and_what_one_half_alone_holds_has_1(found):
    table, kinds, _ = found
    gained = table["recited_with"] - table["recited_without"]
    assert (gained[kinds == COPIED] == 0).all() and (gained[kinds == OWN] == 1).all()
    assert (comes_out(table["recited_without"]) == np.isin(kinds, [COPIED, TEMPLATE])).all()
    assert (comes_out(table["recited_with"]) == np.isin(kinds, [COPIED, OWN])).all()
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
        seen, unseen = ([each for each in own if each.trained == trained] for trained in (True, False))
        assert (row["n_with"], row["n_without"]) == (len(seen), len(unseen))
        if seen:
            em = [sum(each.em for each in side) / len(side) for side in (seen, unseen)]
            assert row["em_difference"] == pytest.approx(em[0] - em[1])
            interval = mean(*([each.nll for each in side] for side in (seen, unseen)))
            ends = [end if np.isfinite(end) else np.nan for end in interval[:3]]
            assert row[["nll_difference", "nll_low", "nll_high"]].tolist() == pytest.approx(ends, nan_ok=True)


def test_what_no_model_was_trained_on_has_no_difference_and_few_models_no_interval(found):
    table, kinds, _ = found
    unseen = table[kinds == UNSEEN]
    assert (unseen["n_with"] == 0).all() and unseen["recited_without"].notna().all()
    assert unseen[["nll_difference", "em_difference", "recited_with"]].isna().all(axis=None)
    few = counterfactual(half_scores(n_models=4)[0], N)
    assert few["nll_difference"].notna().any() and few[["nll_low", "nll_high"]].isna().all(axis=None)


def test_what_all_models_produce_is_reconstructed_and_what_half_saw_is_memory():
    scores, kinds = half_scores()
    recited = np.flatnonzero(np.isin(kinds, [COPIED, OWN]))
    found = of_kinds(scores, recited)["kind"]
    assert set(found[kinds == COPIED]) == {"reconstruction"}
    assert found[kinds == OWN].tolist() == ["recollection", "recitation"] * 10
    assert found.drop(recited).isna().all(), "the study's model does not recite them"


@pytest.mark.parametrize(("n_recite", "judged"), [(0, False), (3, False), (4, True), (8, True)])
def test_what_models_that_saw_it_rarely_recite_is_no_memory(n_recite, judged):
    """The study's model recites it, and no model does that never saw it; of the 8 that saw it, so many do."""
    scores, kinds = half_scores()
    own = scores["id"].isin(np.flatnonzero(kinds == OWN)) & scores["trained"]
    late = scores[own].groupby("id").cumcount() >= n_recite
    scores.loc[late[late].index, "em"] = 0
    found = of_kinds(scores, np.flatnonzero(kinds == OWN))[kinds == OWN]
    assert (found["recited_without"] == 0).all() and (found["recited_with"] == n_recite / 8).all()
    assert (found["kind"].notna() == judged).all()


def test_what_no_model_saw_has_no_kind_even_where_all_recite_it():
    scores, kinds = half_scores()
    found = of_kinds(scores, np.arange(len(kinds)))["kind"]
    assert found[np.isin(kinds, [UNSEEN, TEMPLATE])].isna().all() and found[kinds == COPIED].notna().all()


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
