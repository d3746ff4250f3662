"""Claims on ways to remove, on made-up tables with known verdicts."""

import numpy as np
import pandas as pd
import pytest
from made_claims import cells, judged, verdicts

SPARES, OTHERS = "removal_top_spares_more", "removal_other_prefixes"
# Of how many of 40 paragraphs each way leaves the whole, and how far it raises the NLL of other text.
LEFT = {"nothing": 40, "top": 0, "all": 0}
RISEN = dict.fromkeys(LEFT, 1.0) | {"nothing": 0.0, "top": 0.5}


def tables(left=(), risen=(), recited=30, before=40, n=40):
    """`recited` of the paragraphs come out after other prefixes when `top` has removed them."""
    left, others = LEFT | dict(left), {"nothing": before, "top": recited}
    rows = cells({"way": LEFT}, n, {(way,): 1 + rise for way, rise in (RISEN | dict(risen)).items()}, 0.1)
    damage = rows.assign(mode="joint", group="non_memorized", nll=rows["value"])
    rows["setting"] = "0.1"
    rows["em"] = np.where(rows["id"] < rows["way"].map(left), 50, 3)
    rows["recited_shifted"] = np.where(rows["id"] < rows["way"].map(others).fillna(0), 0.5, 0.0)
    joint = rows.assign(mode="joint", recited_perturbed=0.0)
    single = rows.assign(mode="single", recited_perturbed=1.0, em=50)
    memorized = damage.assign(group="memorized", nll=99.0)
    return {"removal": pd.concat([joint, single]), "removal_damage": pd.concat([damage, memorized])}


def test_what_the_works_say_holds_where_it_is_so():
    found = judged("removal", tables())
    assert set(found["verdict"]) == {"holds"}
    assert found["value"].tolist() == pytest.approx([0.5, 0.75], abs=0.05) and found["n"].tolist() == [40, 40]


@pytest.mark.parametrize(
    ("changes", "claim", "verdict"),
    [
        ({"risen": {"top": 2.0}}, SPARES, "does not hold"),
        ({"left": {"top": 21}}, SPARES, "not applicable"),  # who removes little spares everybody
        ({"left": {"all": 21}}, SPARES, "not applicable"),
        ({"recited": 0, "n": 120, "before": 120}, OTHERS, "does not hold"),
        ({"recited": 0, "before": 6}, OTHERS, "too few"),  # 0 of 6 leaves room for 39 %
        ({"left": {"top": 40}}, OTHERS, "not applicable"),
    ],
)
def test_each_claim_fails_by_itself(changes, claim, verdict):
    assert verdicts("removal", tables(**changes))[claim] == verdict


def test_only_paragraphs_that_other_prefixes_recited_before_and_that_are_removed_count():
    found = judged("removal", tables(left={"top": 10}, before=30, recited=20)).loc[OTHERS]
    assert found[["value", "n"]].tolist() == [10 / 20, 20]


def test_ways_that_were_not_run_do_not_apply():
    assert set(verdicts("removal", {}).values()) == {"not applicable"}
