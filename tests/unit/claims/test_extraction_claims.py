"""Claims on sampling, on small tables whose verdicts are known."""

import numpy as np
import pandas as pd
import pytest

from memloc.claims.evaluate import evaluate
from memloc.claims.registry import topics
from memloc.scoring.sampling import extractable
from memloc.settings.sections import sections

SETTINGS = sections({"paragraph": {"prefix": 50, "length": 100}})
ABOUT = {"model": "any", "data": "embedded"}
MORE, UNSEEN, REPEATS = (
    "sampling_finds_more",
    "seen_come_out_more_than_unseen",
    "more_repeats_more_extractable",
)
LIKELY, RARE = np.log(0.5), np.log(1e-9)  # within 1,000 draws, and not


def judged(*groups):
    """Verdicts for groups of (paragraphs, count, of these extractable, of these greedy)."""
    rows = []
    for n, count, n_out, n_greedy in groups:
        for number in range(n):
            rows.append((count, LIKELY if number < n_out else RARE, 50 if number < n_greedy else 3))
    data = pd.DataFrame(rows, columns=["count", "log_p", "em"]).rename_axis("id").reset_index()
    sets = np.where(data["count"] == 0, "unseen", np.where(data["em"] == 50, "memorized", "non_memorized"))
    first = data[["id", "log_p"]].assign(scheme="whole")
    both = pd.concat([first, first.assign(scheme="top", log_p=-np.inf)])
    tables = {
        "extraction": both.sort_values("id", kind="stable", ignore_index=True),
        "scores": data[["id", "em"]],
        "sets": data[["id"]].assign(set=sets),
        "paragraphs": data[["id", "count"]].assign(continuation_count=None),
    }
    return evaluate(topics()["extraction"], tables, SETTINGS, ABOUT).set_index("id")


def test_what_is_claimed_holds():
    found = judged((200, 1, 10, 0), (30, 4, 10, 2), (30, 64, 29, 25), (80, 0, 0, 0))
    assert found["verdict"].to_dict() == dict.fromkeys((MORE, UNSEEN, REPEATS), "holds")
    assert found.loc[MORE, ["value", "n"]].tolist() == [1, 22]
    assert found.loc[UNSEEN, ["value", "n"]].tolist() == [pytest.approx(39 / 60), 60]
    assert found.loc[REPEATS, ["value", "n"]].tolist() == [pytest.approx(19 / 30), 30]


def test_the_contrary_does_not_hold():
    found = judged((100, 1, 0, 100), (40, 4, 35, 0), (40, 64, 5, 0), (80, 0, 80, 0))["verdict"]
    assert found.to_dict() == dict.fromkeys((MORE, UNSEEN, REPEATS), "does not hold")


def test_nothing_either_way_is_undecided():
    found = judged((100, 1, 8, 0), (40, 4, 2, 10), (40, 64, 2, 2), (80, 0, 4, 4))["verdict"]
    assert found.to_dict() == dict.fromkeys((MORE, UNSEEN, REPEATS), "undecided")


def test_where_both_ways_give_the_same_neither_gives_more():
    found = judged((40, 4, 10, 10), (40, 64, 20, 20), (40, 0, 20, 0))
    assert found.loc[MORE, "verdict"] == "not applicable" and "same" in found.loc[MORE, "reason"]


def test_without_controls_or_different_repeats_claims_do_not_apply():
    found = judged((50, 1, 5, 0), (40, 4, 30, 0))
    assert found.loc[[UNSEEN, REPEATS], "verdict"].tolist() == ["not applicable"] * 2
    assert "unseen" in found.loc[UNSEEN, "reason"]


@pytest.mark.parametrize("n", [1, 2])
def test_few_paragraphs_decide_nothing(n):
    found = judged((n, 4, n, 0), (n, 8, n, 0), (n, 0, 0, 0))["verdict"]
    assert set(found) == {"undecided"}


def test_repeats_at_their_median_are_not_above_it():
    """Of forty with 4 repeats and twenty with 64 the median is 4: only the twenty are above."""
    found = judged((40, 4, 4, 0), (20, 64, 15, 0), (30, 1, 9, 0))
    assert found.loc[REPEATS, ["value", "n"]].tolist() == [pytest.approx(15 / 20 - 4 / 40), 20]


def test_paragraphs_that_occur_twice_are_repeated():
    found = judged((30, 2, 15, 0), (40, 1, 40, 0), (80, 0, 0, 0))
    assert found.loc[UNSEEN, ["value", "n"]].tolist() == [pytest.approx(15 / 30), 30]


def test_as_many_draws_as_are_asked_for_give_it():
    """Draws that give a continuation with just the confidence that the claim asks for, and a rarer one."""
    claim = next(claim for claim in topics()["extraction"].claims if claim.id == UNSEEN)
    n_draws, confidence = claim.arguments["n_draws"], claim.arguments["confidence"]
    enough = np.log1p(-((1 - confidence) ** (1 / n_draws)))
    found = extractable(np.array([enough + 1e-9, enough - 1e-3]), n_draws, confidence)
    assert found.tolist() == [True, False]
