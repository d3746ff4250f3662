"""Every kind of verdict, by every rule, on estimates that are made up; and table `claims` of a topic."""

from dataclasses import replace
from operator import itemgetter

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from test_registry import claim

from memloc.claims.evaluate import evaluate
from memloc.claims.registry import Topic
from memloc.claims.verdicts import Estimate, chance, corrected, judge
from memloc.settings.sections import sections
from memloc.statistics.uncertainty import Interval, mean, proportion
from memloc.tables import validation
from memloc.tables.columns import Lengths
from memloc.tables.schemas import schema_of
from memloc.tables.terms.claims import VERDICTS

HOLDS, FAILS, OPEN, NOT_APPLICABLE, ERROR = VERDICTS
GREATER = {"rule": "greater"}
ABOVE_TWO = {"rule": "greater", "margin": 2}
AT_LEAST = {"rule": "at least", "margin": 2}
EQUAL = {"rule": "equal within", "margin": 2}
BY_INTERVAL = [
    (GREATER, 1, 3, HOLDS, "the interval is above 0"),
    (GREATER, -3, -1, FAILS, "the interval is below 0"),
    (GREATER, 0, 3, OPEN, "the interval includes 0"),  # an end on the bound is beyond none
    (GREATER, -3, 0, OPEN, "the interval includes 0"),
    (ABOVE_TWO, 2.1, 3, HOLDS, "the interval is above 2"),
    (ABOVE_TWO, 1, 3, OPEN, "the interval includes 2"),
    (ABOVE_TWO, 0, 1.9, FAILS, "the interval is below 2"),
    (AT_LEAST, -1.9, -1, HOLDS, "the interval is above -2"),
    (AT_LEAST, -2, 1, OPEN, "the interval includes -2"),
    (AT_LEAST, -3, -2.1, FAILS, "the interval is below -2"),
    (EQUAL, -2, 2, HOLDS, "the interval is between -2 and 2"),
    (EQUAL, -9, 9, OPEN, "the interval reaches across -2 or 2"),  # a wide interval says nothing of equality
    (EQUAL, 1, 3, OPEN, "the interval reaches across -2 or 2"),
    (EQUAL, 2.1, 3, FAILS, "the interval is outside of -2 to 2"),
    (EQUAL, -3, -2.1, FAILS, "the interval is outside of -2 to 2"),
]


@pytest.mark.parametrize(("entry", "low", "high", "expected", "reason"), BY_INTERVAL)
def test_the_interval_decides_and_fewer_than_six_units_decide_nothing(entry, low, high, expected, reason):
    ends = ((low + high) / 2, low, high)
    assert judge(claim(**entry), Estimate(*ends, 6))[:2] == (expected, reason)
    assert judge(claim(**entry), Estimate(*ends, 5)) == (OPEN, "fewer than 6 paragraphs", None)


@pytest.mark.parametrize("entry", [GREATER, AT_LEAST, EQUAL])
def test_no_variance_is_no_evidence(entry):
    """Neither of an effect nor of none; a share of 0 of 8 has an interval all the same."""
    for value in (-9.0, 0.0, 1.0, 9.0):
        found = judge(claim(**entry), Estimate.of(Interval(value, value, value, 8)))
        assert found == (OPEN, "nothing varies, which is no evidence", None)
    assert judge(claim(margin=0.5), Estimate.of(proportion(0, 8))).verdict == FAILS


@pytest.mark.parametrize("entry", [GREATER, AT_LEAST, EQUAL])
def test_what_has_no_interval_or_no_value(entry):
    for ends in ((None, None), (1, None), (None, -5)):
        assert judge(claim(**entry), Estimate(1, *ends, 9)).verdict == OPEN
    for nothing in (None, float("nan")):
        assert judge(claim(**entry), Estimate(nothing, n=9)).verdict == NOT_APPLICABLE


@pytest.mark.parametrize("entry", [GREATER, AT_LEAST, EQUAL])
def test_a_doubt_counts_unless_the_interval_leaves_the_claim_open(entry):
    for ends in ((8, 10), (None, 10), (8, None)):
        found = judge(claim(**entry), Estimate(9, *ends, 9, doubt="chosen by them"))
        assert found == (OPEN, "chosen by them", None)
    open_anyway = Estimate(0, -9, 9, 9)
    doubted = replace(open_anyway, doubt="chosen by them")
    assert judge(claim(**entry), doubted) == judge(claim(**entry), open_anyway)


def test_the_p_value_is_that_of_the_t_test_whose_interval_it_is():
    values = [1.0, 2.5, 0.2, 3.1, 1.9, 0.4, 2.2]
    found = chance(claim(margin=0.5), Estimate.of(mean(values)))
    assert found == pytest.approx(stats.ttest_1samp(values, 0.5).pvalue)
    either = chance(claim(**EQUAL), Estimate.of(mean(values)))
    assert either == pytest.approx(stats.ttest_1samp(values, 2).pvalue), "the nearer end of the margin"
    whole, half = (chance(claim(), Estimate(2, low, 3, 9)) for low in (1, 2))
    assert half == pytest.approx(whole), "the lower half has no width"


def family(*claims):
    """Claims with the data, the value and half of the interval of each, judged each by itself."""
    judged = [judge(claim(), Estimate(value, value - half, value + half, 30)) for _, value, half in claims]
    return pd.DataFrame(judged).assign(data=[data for data, *_ in claims])


def test_claims_on_the_same_data_that_apply_are_corrected_for_their_number_in_steps():
    """p of 0.022, 0.0004 and 0.9, and one that does not apply: 0.022 passes as the second of three."""
    near, clear, nothing = (2, 1.7), (-4, 2), (0.1, 2)
    alone = family(("x", *near), ("x", *clear), ("x", *nothing), ("x", *near), *[("y", *near)] * 3)
    alone.loc[3, ["verdict", "p"]] = [NOT_APPLICABLE, None]
    assert alone["verdict"].tolist() == [HOLDS, FAILS, OPEN, NOT_APPLICABLE, *[HOLDS] * 3]
    found = corrected(alone)
    assert found["verdict"].tolist() == [HOLDS, FAILS, OPEN, NOT_APPLICABLE, *[OPEN] * 3]
    assert found["reason"][:4].tolist() == alone["reason"][:4].tolist() and found["p"].equals(alone["p"])
    reason = "the interval is above 0, but not far enough for one of 3 claims on these data"
    assert found["reason"][4:].tolist() == [reason] * 3
    doubted = alone.copy()
    doubted.loc[1, ["verdict", "p"]] = [OPEN, None]
    assert corrected(doubted)["verdict"][0] == OPEN, "0.022 is the smallest of three, one of them unknown"


def test_a_claim_whose_estimator_fails_makes_no_verdict_on_the_same_data_easier():
    near = family(*[("x", 2, 1.7)] * 2)
    assert corrected(near)["verdict"].tolist() == [HOLDS, HOLDS]
    near.loc[1, ["verdict", "p"]] = [ERROR, None]
    assert corrected(near)["verdict"].tolist() == [HOLDS, ERROR]
    more = pd.concat([near, near.iloc[1:]], ignore_index=True)
    assert corrected(more)["verdict"].tolist() == [OPEN, ERROR, ERROR]


def test_a_share_is_tested_exactly():
    assert chance(claim(margin=0.5), Estimate.of_share(10, 10)) == pytest.approx(2 * 0.5**10)


def test_infinite_ends_of_an_interval_are_left_out():
    found = Estimate.of(Interval(1.0, float("-inf"), float("nan"), 4), 7)
    assert (found.value, found.low, found.high, found.n, found.n_other) == (1.0, None, None, 4, 7)
    reasons = [judge(claim(), Estimate(1.0, n=n)).reason for n in (7, 8)]
    assert [reason.rpartition(": ")[2] for reason in reasons] == [
        "fewer than 8 paragraphs",
        "the data are too few, or lie at a floor",
    ]


# Table `claims` of a topic.


def row_of(settings=None, **changes):
    entry = claim(**{"estimator": "complete_or_not", "margin": 0.5} | changes)
    topic = Topic(name="scores", data="x", tables={"sets": None}, claims=(entry,))
    given = {"sets": pd.DataFrame({"set": ["memorized"] * 20 + ["partly_30_49"]})}
    rows = evaluate(topic, given, sections({"paragraph": {}, "sets": {}} | (settings or {})))
    return validation.validate(schema_of("claims"), pd.DataFrame(rows), Lengths()).iloc[0]


def test_a_row_says_what_is_claimed_and_what_was_found():
    row = row_of(figures=("fig2", "fig8"), published=0.9)
    assert (row["id"], row["topic"], row["data"], row["n"]) == ("a_claim", "scores", "x", 21)
    assert row["value"] == pytest.approx(20 / 21) and pd.isna(row["n_other"])
    assert (row["published"], row["bound"], row["verdict"]) == (0.9, 0.5, HOLDS)
    assert row["figures"] == "fig2 fig8"


def test_a_claim_does_not_apply_to_settings_that_it_is_not_meant_for():
    when = {"sets.continuation": "model"}
    assert row_of(when=when)["verdict"] == HOLDS
    row = row_of({"sets": {"continuation": "corpus"}}, when=when)
    expected = (NOT_APPLICABLE, "it is about sets.continuation: model; this study has corpus")
    assert (row["verdict"], row["reason"]) == expected
    assert pd.isna(row["value"])


def test_a_claim_whose_estimator_fails_is_named_with_its_traceback_and_the_others_are_judged(caplog):
    entries = [claim(id=name, estimator=name, margin=0.5) for name in ("not_written", "complete_or_not")]
    topic = Topic(name="scores", data="x", tables={"sets": None}, claims=entries)
    given = {"sets": pd.DataFrame({"set": ["memorized"] * 20 + ["partly_30_49"]})}
    rows = evaluate(topic, given, sections({"paragraph": {}, "sets": {}}))
    failed, judged = validation.validate(schema_of("claims"), pd.DataFrame(rows), Lengths()).itertuples()
    assert (failed.verdict, judged.verdict) == (ERROR, HOLDS) and pd.isna(failed.value)
    assert (
        failed.reason.startswith("its estimator failed: AttributeError(") and "not_written" in failed.reason
    )
    assert "estimator of claim not_written" in caplog.text and "Traceback" in caplog.text


def test_a_search_over_many_heads_on_few_units_says_that_it_cannot_decide():
    values = np.random.default_rng(0).standard_t(3, size=(8, 300))
    for n, reason in (
        (300, "the interval includes 0: 8 paragraphs are too few for a search over 300 comparisons"),
        (2, "the interval includes 0"),
    ):
        estimate = Estimate.of_search(values[:, :n], itemgetter(0))
        assert judge(claim(**GREATER), estimate).reason == reason
    assert judge(claim(**GREATER), replace(estimate, low=0.1, high=9, value=1)).verdict == HOLDS
