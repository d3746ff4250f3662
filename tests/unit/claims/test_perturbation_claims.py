"""Claims on replaced prefix tokens, on small tables whose verdicts are known."""

import numpy as np
import pandas as pd
import pytest
from made_settings import changed

from memloc.claims.evaluate import evaluate
from memloc.claims.registry import topics
from memloc.settings.sections import sections

N_PREFIX, FULL = 4, 10
SETTINGS = sections(
    {"paragraph": {"prefix": N_PREFIX, "length": N_PREFIX + FULL}, "sets": {"continuation": "model"}}
)
ABOUT = {"model": "any", "data": "embedded"}


def rows_of(em, group, nll=1.0, first_id=0):
    """Rows of paragraphs with em[paragraph][position], one draw; `nll` of unperturbed ones, 50 of others."""
    rows = []
    for name, by_position in enumerate(em, first_id):
        rows.append((name, group, -1, 0, FULL, nll))
        rows += [(name, group, position, 0, value, 50.0) for position, value in enumerate(by_position)]
    return pd.DataFrame(rows, columns=["id", "set", "position", "draw", "em", "nll_original"])


def judged(memorized, other, new_nll=(), other_nll=1.0, settings=SETTINGS):
    """The claims by id; spread of the NLLs of other paragraphs: a tenth."""
    others = rows_of(other, "non_memorized", first_id=100)
    unperturbed = others["position"] < 0
    noise = np.random.default_rng(0).normal(0, 0.1, unperturbed.sum())
    others.loc[unperturbed, "nll_original"] = other_nll + noise
    tables = {
        "perturbation": pd.concat([rows_of(memorized, "memorized"), others], ignore_index=True),
        "perturbed_paragraphs": pd.DataFrame({"id": range(len(new_nll)), "nll": np.array(new_nll, float)}),
    }
    return evaluate(topics()["perturbation"], tables, settings, ABOUT).set_index("id")


def noisy(em, n=20, seed=0):
    """n paragraphs with about these EMs."""
    return np.clip(np.array(em) + np.random.default_rng(seed).integers(-1, 2, (n, N_PREFIX)), 0, FULL)


def test_a_token_costs_nine_tenths_of_the_continuation_or_not():
    found = judged([[10, 10, 1, 10]] + 9 * [[10] * 4], noisy([5] * 4))
    assert found.loc["token_costs_45", ["value", "margin", "verdict"]].tolist() == [9, 9, "holds"]
    assert found.loc["earlier_token_costs_45", "verdict"] == "holds"
    found = judged([[10, 10, 2, 0]] * 10, noisy([5] * 4))
    assert found.loc["token_costs_45", "value"] == 10
    assert found.loc["earlier_token_costs_45", ["value", "verdict"]].tolist() == [8, "does not hold"]


def test_one_paragraph_is_enough_to_reach_a_drop_and_no_more():
    found = judged([[0, 10, 10, 10]], [[5] * 4])
    assert found.loc["token_costs_45", "verdict"] == "holds"
    assert found.loc["non_memorized_easier", ["verdict", "n"]].tolist() == ["undecided", 1]
    assert found.loc["later_matters_memorized", "verdict"] == "undecided"
    assert judged([[5] * 4] * 2, [[5] * 4] * 2).loc["non_memorized_easier", "verdict"] == "undecided"


@pytest.mark.parametrize(
    ("memorized", "other", "verdict"),
    [(8, 3, "holds"), (3, 8, "does not hold"), (5, 5, "undecided")],
)
def test_which_paragraphs_are_perturbed_more_easily(memorized, other, verdict):
    found = judged(noisy([memorized] * 4), noisy([other] * 4, seed=1))
    assert found.loc["non_memorized_easier", "verdict"] == verdict


def test_nothing_changed_at_all():
    found = judged([[FULL] * 4] * 10, [[FULL] * 4] * 10)
    others = {"perturbed_fluent": "not applicable", "few_tokens_trigger": "holds"}
    assert found["verdict"].to_dict() == dict.fromkeys(found.index, "does not hold") | others


@pytest.mark.parametrize("n", [1, 2, 5])
def test_few_paragraphs_decide_nothing(n):
    found = judged([[5] * 4] * n, [[4] * 4] * n, new_nll=[1.0] * n)
    assert dict(found["verdict"]) == dict.fromkeys(found.index, "undecided")
    assert set(found["n"]) == {n}


@pytest.mark.parametrize(("n_new", "n_others"), [(1, 20), (2, 20), (20, 1), (20, 2)])
def test_few_continuations_of_either_kind_decide_nothing_about_fluency(n_new, n_others):
    found = judged(noisy([5] * 4), noisy([5] * 4, n_others), new_nll=[0.5] * n_new).loc["perturbed_fluent"]
    assert found[["verdict", "n"]].tolist() == ["undecided", min(n_new, n_others)]


def test_the_corpus_continuation_of_non_memorized_paragraphs_is_no_comparison():
    settings = changed(SETTINGS, sets={"continuation": "corpus"})
    found = judged(noisy([8] * 4), noisy([3] * 4), new_nll=[0.1] * 20, settings=settings)
    assert found.loc["non_memorized_easier", "verdict"] == "not applicable"
    assert found.loc["perturbed_fluent", "verdict"] == "not applicable"


def test_the_last_token_alone_is_no_trend_of_the_others():
    found = judged(noisy([8, 8, 8, 1]), noisy([2, 4, 7, 9]))
    names = ["later_matters_memorized", "later_matters_memorized_without_last", "later_matters_non_memorized"]
    other = judged(noisy([8] * 4), noisy([8, 8, 8, 1]))["verdict"]
    assert (other["later_matters_non_memorized"], other["later_matters_non_memorized_without_last"]) == (
        "holds",
        "undecided",
    )
    assert found.loc[names, "verdict"].tolist() == ["holds", "undecided", "does not hold"]
    found = judged(noisy([9, 9, 3, 9]), noisy([8, 8, 4, 4]))
    assert found.loc[names, "verdict"].tolist() == ["holds"] * 3


def test_halves_leave_out_the_middle_of_an_odd_number_of_positions():
    found = judged([[10, 0, 6, 10]] * 10, noisy([5] * 4))
    assert found.loc["later_matters_memorized_without_last", "value"] == 4


@pytest.mark.parametrize(
    ("new", "verdict"),
    [(0.5, "holds"), (1.0, "holds"), (1.1, "holds"), (1.25, "undecided"), (2.0, "does not hold")],
)
def test_new_continuations_are_about_as_likely_as_other_text(new, verdict):
    nll = new + np.random.default_rng(1).normal(0, 0.1, 20)
    found = judged(noisy([5] * 4), noisy([5] * 4), nll).loc["perturbed_fluent"]
    assert found["verdict"] == verdict
    assert found["value"] == pytest.approx(1 - new, abs=0.1)


def test_new_continuations_are_compared_with_paragraphs_that_are_not_memorized():
    """Memorized ones have an NLL of 1."""
    found = judged(noisy([5] * 4), noisy([5] * 4), [3.0] * 20, other_nll=2.0).loc["perturbed_fluent"]
    assert found["value"] == pytest.approx(-1, abs=0.1) and found["n"] == 20


@pytest.mark.parametrize(("spared", "verdict"), [(3, "holds"), (1, "does not hold"), (2, "does not hold")])
def test_few_tokens_trigger_or_not(spared, verdict):
    """Of four tokens, some cost nothing; one paragraph in ten can lose all of them."""
    em = [[FULL] * spared + [4] * (N_PREFIX - spared)] * 9 + [[FULL] * N_PREFIX]
    found = judged(em, noisy([5] * 4)).loc["few_tokens_trigger"]
    assert found["value"] == pytest.approx((9 * spared / 4 + 1) / 10)
    assert found["verdict"] == (verdict if spared != 2 else "undecided")
