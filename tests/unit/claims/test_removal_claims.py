"""Claims on ways to remove, on made-up tables with known verdicts."""

import pandas as pd
import pytest

from memloc.claims.evaluate import evaluate
from memloc.claims.registry import topics
from memloc.settings.sections import sections

SETTINGS = sections({"paragraph": {"prefix": 50, "length": 100}})
KEPT = {"nothing": 50, "top": 5, "all": 4, "gradient_ascent": 0, "ngram_blocklist": 6}
KEPT |= {"neurons_hard_concrete": 10, "neurons_zero_out": 30, "neurons_integrated_gradients": 30}


def tables(n=8, kept=None, own=None, edits=None, recited=0.0):
    """Ways keep these tokens of removed paragraphs and of own continuations, a little more or less."""
    kept = KEPT | (kept or {})
    own = dict.fromkeys(kept, 40) | {"top": 45} | (own or {})
    edits = dict.fromkeys(kept, 0.9) | {"ngram_blocklist": 0.4} | (edits or {})
    removal = [
        {
            "way": way,
            "setting": "share 0.1",
            "mode": mode,
            "id": number,
            "em": tokens + number % 2,
            "edit_distance": edits[way],
        }
        | dict.fromkeys(("recited_perturbed", "recited_shifted"), recited * (1 + number % 2))
        for way, tokens in kept.items()
        for mode in ("joint", "single")
        for number in range(n if mode == "joint" else 2)
    ]
    damage = [
        {"way": way, "mode": "joint", "group": group, "id": number, "em": own[way] - number % 3}
        for way in kept
        for group in ("memorized", "non_memorized")
        for number in range(n)
    ]
    return {"removal": pd.DataFrame(removal), "removal_damage": pd.DataFrame(damage)}


def judged(given):
    return evaluate(topics()["removal"], given, SETTINGS, {"model": "any", "data": "embedded"}).set_index(
        "id"
    )


def test_what_the_works_say_holds_where_it_is_so():
    found = judged(tables(recited=0.3))
    assert set(found["verdict"]) == {"holds"}
    assert found.loc["removal_masks_over_zeroing", "value"] == pytest.approx(20)
    assert found.loc["removal_blocklist_stays_near", "value"] == pytest.approx(0.5)
    assert found.loc["removal_other_prefixes", "value"] == pytest.approx(0.45)


@pytest.mark.parametrize(
    ("changes", "claim"),
    [
        ({"kept": {"top": 20}}, "removal_top_as_well_as_all"),
        ({"own": {"top": 30}}, "removal_top_spares_more"),
        ({"kept": {"neurons_hard_concrete": 40}}, "removal_masks_over_zeroing"),
        ({"edits": {"ngram_blocklist": 0.95}}, "removal_blocklist_stays_near"),
        ({"recited": 0.0}, "removal_other_prefixes"),
    ],
)
def test_and_does_not_where_it_is_not(changes, claim):
    assert judged(tables(**changes)).loc[claim, "verdict"] == "does not hold"


def test_a_way_that_removes_little_is_no_evidence_that_it_spares_others():
    found = judged(tables(kept={"top": 40}, recited=0.3)).loc["removal_top_spares_more"]
    assert found["verdict"] == "undecided" and "who does little harms little" in found["reason"]


def test_neurons_are_compared_at_equal_shares():
    given = tables()
    other = given["removal"]["way"] == "neurons_zero_out"
    given["removal"].loc[other, "setting"] = "share 0.2"
    found = judged(given)
    assert found.loc["removal_masks_over_zeroing", "verdict"] == "undecided"
    assert "one has share 0.1, the other share 0.2" in found.loc["removal_masks_over_zeroing", "reason"]
    assert found.loc["removal_masks_over_integrated", "verdict"] == "holds"


def test_few_paragraphs_decide_nothing():
    assert set(judged(tables(n=5, recited=0.3))["verdict"]) == {"undecided"}


def test_ways_that_were_not_run_and_paragraphs_that_stay():
    assert set(judged({})["verdict"]) == {"not applicable"}
    without = {name: rows[rows["way"] != "top"] for name, rows in tables(recited=0.3).items()}
    found = judged(without)
    assert found.loc["removal_top_spares_more", "reason"] == "top was not run: see remove.ways"
    assert found.loc["removal_masks_over_zeroing", "verdict"] == "holds"
    whole = tables()
    whole["removal"].loc[whole["removal"]["way"] == "top", "em"] = 50
    assert judged(whole).loc["removal_other_prefixes", "verdict"] == "not applicable"
