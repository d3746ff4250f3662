"""Every kind of verdict, by every rule, on estimates that are made up; and table `claims` of a topic."""

import pandas as pd
import pytest
from test_registry import claim

from memloc.claims import evaluate
from memloc.claims.registry import Topic
from memloc.claims.verdicts import Estimate, judge, little_left
from memloc.figures.parts.caption import verdicts
from memloc.settings.sections import sections
from memloc.statistics.uncertainty import Interval
from memloc.tables.schema import Lengths
from memloc.tables.schemas import schema_of
from memloc.tables.validation import validate

N_CONTINUATION = 50
HOLDS, FAILS, OPEN, NOT_APPLICABLE = "holds", "does not hold", "undecided", "not applicable"

GREATER = {"rule": "greater"}
ABOVE_TWO = {"rule": "greater", "margin": 0.04, "margin_of": "continuation"}
AT_LEAST = {"rule": "at least", "margin": 2}
EQUAL = {"rule": "equal within", "margin": 2}
AROUND = {"rule": "equal within", "margin": 2, "published": 10, "around_published": True}
EXACT = {"rule": "exact", "published": 10, "around_published": True}
NEARLY = EXACT | {"margin": 1}
REACHED = {"rule": "reached", "margin": 45}

BY_INTERVAL = [
    (GREATER, 1, 3, HOLDS),
    (GREATER, -3, -1, FAILS),
    (GREATER, -1, 3, OPEN),
    (GREATER, 0, 3, OPEN),  # an end on the bound is beyond none
    (GREATER, -3, 0, OPEN),
    (GREATER, 0, 0, FAILS),  # nothing changed at all
    (ABOVE_TWO, 2.1, 3, HOLDS),
    (ABOVE_TWO, 1, 3, OPEN),
    (ABOVE_TWO, 0, 1.9, FAILS),
    (AT_LEAST, -1.9, -1, HOLDS),
    (AT_LEAST, 0, 0, HOLDS),
    (AT_LEAST, -2, 1, OPEN),
    (AT_LEAST, -3, -2.1, FAILS),
    (EQUAL, -2, 2, HOLDS),
    (EQUAL, 0, 0, HOLDS),
    (EQUAL, -9, 9, OPEN),  # a wide interval says nothing of equality
    (EQUAL, 1, 3, OPEN),
    (EQUAL, 2, 3, OPEN),
    (EQUAL, 2.1, 3, FAILS),
    (EQUAL, -3, -2.1, FAILS),
    (AROUND, 8.5, 11, HOLDS),
    (AROUND, -1, 1, FAILS),
    (AROUND, 7, 11, OPEN),
]


@pytest.mark.parametrize(("entry", "low", "high", "expected"), BY_INTERVAL)
def test_the_interval_decides(entry, low, high, expected):
    found = judge(claim(**entry), Estimate((low + high) / 2, low, high, 6), N_CONTINUATION)
    assert found.verdict == expected


@pytest.mark.parametrize(("entry", "low", "high", "expected"), BY_INTERVAL)
@pytest.mark.parametrize("n", [1, 2, 5])
def test_fewer_than_six_units_decide_nothing(entry, low, high, expected, n):
    found = judge(claim(**entry), Estimate((low + high) / 2, low, high, n), N_CONTINUATION)
    assert found == (OPEN, "fewer than 6 paragraphs")


@pytest.mark.parametrize("entry", [GREATER, AT_LEAST, EQUAL])
def test_an_infinite_interval_decides_nothing(entry):
    for ends in ((None, None), (1, None), (None, -5)):
        assert judge(claim(**entry), Estimate(1, *ends, 9), N_CONTINUATION).verdict == OPEN


@pytest.mark.parametrize(
    ("entry", "value", "expected"),
    [(EXACT, 10, HOLDS), (EXACT, 11, FAILS), (NEARLY, 11, HOLDS), (NEARLY, 11.5, FAILS)],
)
def test_a_count_is_the_published_one_or_not(entry, value, expected):
    assert judge(claim(**entry), Estimate(value, n=1), N_CONTINUATION).verdict == expected


def test_published_counts_are_written_out():
    found = judge(claim(**EXACT | {"published": 1234567}), Estimate(3, n=9), N_CONTINUATION)
    assert found.reason == "the published value is 1,234,567"


@pytest.mark.parametrize(
    ("value", "n", "expected"), [(45, 1, HOLDS), (60, 9, HOLDS), (44, 9, FAILS), (44, 5, OPEN)]
)
def test_one_case_is_enough_and_few_without_one_decide_nothing(value, n, expected):
    assert judge(claim(**REACHED), Estimate(value, n=n), N_CONTINUATION).verdict == expected


@pytest.mark.parametrize("entry", [GREATER, AT_LEAST, EQUAL, EXACT, REACHED])
def test_a_claim_without_a_value_does_not_apply(entry):
    assert judge(claim(**entry), Estimate(missing="no controls"), N_CONTINUATION) == (
        NOT_APPLICABLE,
        "no controls",
    )
    for nothing in (None, float("nan")):
        found = judge(claim(**entry), Estimate(nothing, n=9), N_CONTINUATION)
        assert found == (NOT_APPLICABLE, "there is nothing to compute it from")


@pytest.mark.parametrize(
    ("entry", "estimate", "reason"),
    [
        (GREATER | {"margin": 0.5}, (2, 1, 3), "the interval is above 0.5"),
        (GREATER, (-2, -3, -1), "the interval is not above 0"),
        (ABOVE_TWO, (2, 1, 3), "the interval includes 2"),
        (AT_LEAST, (0, -1, 1), "the interval is above -2"),
        (AROUND, (10, 9, 11), "the interval is between 8 and 12"),
        (AROUND, (14, 13, 15), "the interval is outside of 8 to 12"),
        (EQUAL, (2, 1, 3), "the interval reaches across -2 or 2"),
        (GREATER, (1, None, 3), "its interval is infinite"),
        (NEARLY, (9, None, None), "the published value is 10, give or take 1"),
        (REACHED, (46, None, None), "one case of 45 or more is enough"),
        (REACHED, (44, None, None), "no case reaches 45"),
    ],
)
def test_a_verdict_says_why(entry, estimate, reason):
    assert judge(claim(**entry), Estimate(*estimate, 9), N_CONTINUATION).reason == reason


def test_a_doubt_leaves_it_open_whatever_the_interval_is():
    found = judge(
        claim(**GREATER), Estimate(2, 1, 3, 9, doubt="the same units chose the head"), N_CONTINUATION
    )
    assert found == (OPEN, "the same units chose the head")


def test_half_of_a_continuation_is_enough_to_lose():
    assert little_left(25, 50) is None and "keep only 24.9 tokens" in little_left(24.9, 50)


def test_infinite_ends_of_an_interval_are_left_out():
    found = Estimate.of(Interval(1.0, float("-inf"), float("nan"), 4))
    assert (found.value, found.low, found.high, found.n) == (1.0, None, None, 4)


# Table `claims` of a topic.

SETTINGS = sections({"paragraph": {"length": 100, "prefix": 50}, "expected": {"filter": "reference"}})
EVERYWHERE = {"model": "embedded model of study mini", "data": "embedded"}
PUBLISHED = {"model": "EleutherAI/gpt-neo-125m", "data": "release"}


def topic(**changes):
    entry = EXACT | {"estimator": "published_size", "arguments": {"set": "memorized"}} | changes
    tables = {"scores": ("id", "em"), "dropped_reference": ("id",)}
    return Topic(name="scores", tables=tables, claims=(claim(**entry),))


def found(about, n_memorized=10, **changes):
    scores = pd.DataFrame({"id": range(20), "em": [50] * n_memorized + [0] * (20 - n_memorized)})
    tables = {"scores": scores, "dropped_reference": pd.DataFrame({"id": []})}
    frame = evaluate.evaluate(topic(**changes), tables, SETTINGS, about)
    return validate(schema_of("claims"), frame, Lengths()).iloc[0]


def test_a_row_says_what_is_claimed_and_what_was_found():
    row = found(EVERYWHERE, figures=("fig2", "fig8"))
    assert (row["id"], row["topic"], row["value"], row["n"]) == ("a_claim", "scores", 10, 20)
    assert (row["published"], row["verdict"], row["figures"]) == (10, HOLDS, "fig2 fig8")
    assert pd.isna(row["low"]) and pd.isna(row["high"])
    assert found(EVERYWHERE, n_memorized=9)["verdict"] == FAILS


@pytest.mark.parametrize("about", [EVERYWHERE, PUBLISHED | {"data": "text"}, PUBLISHED | {"model": "gpt2"}])
def test_a_number_of_one_study_does_not_apply_to_another(about):
    only = {"only_for": "gpt-neo-125m on the pile"}
    row = found(about, **only)
    assert row["verdict"] == NOT_APPLICABLE and "GPT-Neo 125M" in row["reason"] and pd.isna(row["value"])
    assert found(PUBLISHED, **only)["verdict"] == HOLDS


def test_a_caption_ends_with_what_its_claims_say():
    caption = verdicts(pd.DataFrame([found(EVERYWHERE)]))
    assert "This is so. (2403.19851, 4) **holds**: 10 tokens, n = 20 paragraphs, published 10;" in caption
    assert verdicts(pd.DataFrame([found(EVERYWHERE, only_for="gpt-neo-125m on the pile")])) == ""


def test_markup_in_a_statement_is_text():
    from docutils.core import publish_string

    nasty = "The head *x* of |a| `b`_ is **W_V** (see c_ or http://d)."
    row = found(EVERYWHERE, statement=nasty, quantity="tokens_ *of* `50`")
    text = publish_string(
        verdicts(pd.DataFrame([row])), writer="pseudoxml", settings_overrides={"halt_level": 2}
    )
    assert nasty in text.decode().replace("\n", " ") and "tokens_ *of* `50`" in text.decode()
    assert text.decode().count("<strong>") == 1 and "<reference" not in text.decode()
