"""Every kind of verdict, by every rule, on units that are made up; and table `claims` of a topic."""

import numpy as np
import pandas as pd
import pytest
from made_claims import with_tokens
from test_registry import claim

from memloc.claims.evaluate import evaluate
from memloc.claims.registry import Topic
from memloc.claims.verdicts import corrected, judge
from memloc.settings.sections import sections
from memloc.statistics.exact import median, share
from memloc.tables import validation
from memloc.tables.columns import Lengths
from memloc.tables.schemas import schema_of
from memloc.tables.terms.claims import VERDICTS, measured

HOLDS, FAILS, SAME, FEW, NOT_APPLICABLE, ERROR = VERDICTS
RULES = {"greater": (HOLDS, FAILS, SAME), "at least": (HOLDS, FAILS, HOLDS)}
OF_HALF = {"scale": "%", "bound": 0.5, "matters": 0.1}


def values(middle, half=1.0, n=21):
    """Their median is the middle; its 95 % interval reaches four sevenths of the half to either side."""
    return median(middle + half * np.linspace(-1, 1, n))


@pytest.mark.parametrize("rule", RULES)
def test_the_interval_decides_by_where_it_lies(rule):
    """Beyond 3, below 1, or between: the bound is 2, and 1 is the smallest difference that matters."""
    entry = claim(rule=rule, bound=2, matters=1)
    above, below, within = RULES[rule]
    assert judge(entry, values(5)).verdict == above and judge(entry, values(-1)).verdict == below
    assert judge(entry, values(2)).verdict == within
    for middle in (1.2, 2.8, 3.2) if rule != "at least" else (1.2, 0.8):
        assert judge(entry, values(middle)).verdict == FEW
    assert judge(entry, values(2, half=9)).verdict == FEW, "a wide interval says nothing of equality"


@pytest.mark.parametrize(
    ("found", "entry", "reason"),
    [
        (share(20, 21), OF_HALF, "the interval is above 60 %"),
        (share(1, 21), OF_HALF, "the interval is below 40 %"),
        (
            values(0, 0.1),
            {"scale": "tokens", "matters": 2.5},
            "the interval is between -2.5 tokens and 2.5 tokens",
        ),
        (share(3, 5), OF_HALF | {"bound": 0.4}, "5 paragraphs; with such values, 110 would decide"),
        (share(12, 30), OF_HALF, "30 paragraphs; with such values, no number would decide"),
    ],
)
def test_reasons_speak_in_the_unit_of_the_value_and_say_how_many_would_decide(found, entry, reason):
    assert judge(claim(**entry), found).reason == reason


def test_five_units_that_agree_decide_nothing_and_six_do():
    assert [judge(claim(), median([9.0] * n)).verdict for n in (5, 6)] == [FEW, HOLDS]
    assert judge(claim(), median([])).verdict == judge(claim(), share(0, 0)).verdict == NOT_APPLICABLE


def test_the_units_that_would_decide_allow_for_the_family():
    alone, ten = (judge(claim(), median([9.0] * 3), family).needed for family in (1, 10))
    assert (alone, ten) == (6, 9), "2 / 2 ** n is at most 5 % of it"


def test_the_p_value_is_twice_that_of_the_side_that_is_shown():
    found = judge(claim(), values(3))
    assert found.p == pytest.approx(2 * 0.5**21) and found.verdict == HOLDS
    both = judge(claim(matters=0.5), median(np.r_[np.zeros(17), np.ones(4)]))
    assert both.p == pytest.approx(2 * median(np.r_[np.zeros(17), np.ones(4)]).below(0.5).p)


def family(*ns):
    """Claims whose units all agree; None does not apply."""
    rows = [judge(claim(), median([9.0] * (n or 0))) for _, n in ns]
    return pd.DataFrame(rows).assign(topic=[topic for topic, _ in ns])


def test_claims_of_a_topic_that_apply_are_corrected_for_their_number_in_steps():
    """p of 2 / 2^n: with two claims, 6 units (3.1 %) are enough where 10 decide the other one."""
    found = corrected(family(("x", 6), ("x", 10), ("x", None), ("y", 6), ("y", 6)))
    assert found["verdict"].tolist() == [HOLDS, HOLDS, NOT_APPLICABLE, FEW, FEW]
    reason = "the interval is above 1 tokens, but not far enough for one of 2 claims of its topic"
    assert found["reason"].tolist()[3:] == [reason] * 2
    assert found["needed"].isna().tolist() == [True] * 3 + [False] * 2


def test_a_claim_whose_estimator_fails_makes_no_verdict_of_its_topic_easier():
    near = family(("x", 7), ("x", 10))
    assert corrected(near)["verdict"].tolist() == [HOLDS, HOLDS]
    near.loc[1, ["verdict", "p"]] = [ERROR, None]
    assert corrected(near)["verdict"].tolist() == [HOLDS, ERROR]
    more = pd.concat([near, *[near.iloc[1:]] * 2], ignore_index=True)
    assert corrected(more)["verdict"].tolist() == [FEW, *[ERROR] * 3]


# What is said of a value.


def test_a_claims_value_has_four_digits_its_ends_have_three_and_shares_are_told_in_per_cent():
    assert measured(1.23456, 0.98765, 2.34567, "nats", "by far") == "1.235 (0.988 to 2.35) nats by far"
    for low, high in ((float("nan"), 2.0), (1.0, float("nan")), (-np.inf, np.inf)):
        assert measured(12.3456, low, high, "nats", "by far") == "12.35 nats by far"
    assert measured(1.0, 0.8316, 1.0, "%", "of the paragraphs") == "100 (83.2 to 100) % of the paragraphs"


# Table `claims` of a topic.


SETS = pd.DataFrame({"id": range(21), "set": ["memorized"] * 20 + ["partly_30_49"]})


def rows_of(*entries, settings=None):
    """Rows of claims about shares of 21 paragraphs, of which 20 are memorized."""
    about = OF_HALF | {"estimator": "complete_or_not"}
    topic = Topic(name="scores", tables={"sets": None}, claims=[claim(**about | own) for own in entries])
    known = sections({"paragraph": {}, "sets": {}} | (settings or {}))
    rows = corrected(pd.DataFrame(evaluate(topic, [with_tokens({"sets": SETS})], known)))
    return [*validation.validate(schema_of("claims"), rows, Lengths()).itertuples()]


def test_a_row_says_what_is_claimed_and_what_was_found():
    (row,) = rows_of({"figures": ("fig2", "fig8"), "published": 0.9})
    assert (row.id, row.topic, row.n) == ("a_claim", "scores", 21)
    assert row.value == pytest.approx(20 / 21)
    assert (row.low, row.high) == pytest.approx(share(20, 21).interval(0.95))
    assert (row.published, row.bound, row.verdict) == (0.9, 0.5, HOLDS)
    assert row.figures == "fig2 fig8"


def test_a_claim_does_not_apply_to_settings_that_it_is_not_meant_for():
    meant = {"when": {"sets.continuation": "model"}}
    (row,), (other,) = rows_of(meant), rows_of(meant, settings={"sets": {"continuation": "corpus"}})
    expected = (NOT_APPLICABLE, "it is about sets.continuation: model; this study has corpus")
    assert row.verdict == HOLDS and (other.verdict, other.reason) == expected and pd.isna(other.value)


def test_a_claim_whose_estimator_fails_is_named_with_its_traceback_and_the_others_are_judged(caplog):
    failed, judged = rows_of({"estimator": "not_written"}, {"id": "another"})
    assert (failed.verdict, judged.verdict) == (ERROR, HOLDS) and pd.isna(failed.value)
    assert failed.reason.startswith("its estimator failed: AttributeError(")
    assert "not_written" in failed.reason
    assert "estimator of claim a_claim" in caplog.text and "Traceback" in caplog.text
