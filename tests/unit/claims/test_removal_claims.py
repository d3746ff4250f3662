"""Claims on ways to remove, on made-up tables with known verdicts."""

import numpy as np
import pandas as pd
import pytest
from made_claims import cells, judged, verdicts

SPARES, MASKS, OTHERS = "removal_top_spares_more", "removal_masks_over_others", "removal_other_prefixes"
# Of how many of 40 paragraphs each way leaves the whole, and how far it raises the NLL of other text.
LEFT = {"nothing": 40, "top": 0, "all": 0, "neurons_hard_concrete": 5}
LEFT |= {"neurons_zero_out": 30, "neurons_integrated_gradients": 35}
RISEN = dict.fromkeys(LEFT, 1.0) | {"nothing": 0.0, "top": 0.5}


def tables(left=(), risen=(), recited=30, before=40, n=40, shares=(), forgotten=3.0):
    """`recited` of the paragraphs come out after other prefixes when `top` has removed them."""
    left, others = LEFT | dict(left), {"nothing": before, "top": recited}
    rows = cells({"way": LEFT}, n, {(way,): 1 + rise for way, rise in (RISEN | dict(risen)).items()}, 0.1)
    damage = rows.assign(mode="joint", group="non_memorized", nll=rows["value"])
    rows["setting"] = [dict(shares).get(way, "0.1") for way in rows["way"]]
    rows["em"] = np.where(rows["id"] < rows["way"].map(left), 50, 3)
    rows["nll"] = rows["way"].map({"nothing": 0.2, "top": 0.2 + forgotten}).fillna(5.2)
    rows["recited_shifted"] = np.where(rows["id"] < rows["way"].map(others).fillna(0), 0.5, 0.0)
    joint = rows.assign(mode="joint", recited_perturbed=0.0)
    single = rows.assign(mode="single", recited_perturbed=1.0, em=50)
    memorized = damage.assign(group="memorized", nll=99.0)
    return {"removal": pd.concat([joint, single]), "removal_damage": pd.concat([damage, memorized])}


def test_what_the_works_say_holds_where_it_is_so():
    found = judged("removal", tables())
    assert set(found["verdict"]) == {"holds"}
    assert found["value"].tolist() == pytest.approx([0.5, 1.0, 0.75])
    assert found["n"].tolist() == [40, 25, 40]  # 25 paragraphs are removed by the masks alone, of both rivals


@pytest.mark.parametrize(
    ("changes", "claim"),
    [
        ({"risen": {"top": 2.0}}, SPARES),
        ({"left": {"neurons_zero_out": 0, "neurons_hard_concrete": 20}}, MASKS),
        ({"recited": 0}, OTHERS),
    ],
)
def test_each_claim_fails_by_itself(changes, claim):
    expected = dict.fromkeys((SPARES, MASKS, OTHERS), "holds") | {claim: "does not hold"}
    assert verdicts("removal", tables(**changes, n=40)) == expected


def test_none_of_six_decides_nothing():
    """0 of 6 leaves room for 39 %."""
    found = judged("removal", tables(recited=0, before=6)).loc[OTHERS]
    assert found[["value", "n", "verdict"]].tolist() == [0, 6, "undecided"] and found["high"] > 0.35


def test_only_paragraphs_that_other_prefixes_recited_before_and_that_are_removed_count():
    found = judged("removal", tables(left={"top": 10}, before=30, recited=20)).loc[OTHERS]
    assert found[["value", "n"]].tolist() == [10 / 20, 20]


def test_who_removes_little_spares_nobody_and_shares_that_differ_are_in_doubt():
    assert verdicts("removal", tables(left={"top": 21}))[SPARES] == "undecided"
    assert verdicts("removal", tables(forgotten=2.4))[SPARES] == "undecided"
    found = judged("removal", tables(shares={"neurons_hard_concrete": "0.2"})).loc[MASKS]
    assert found["verdict"] == "undecided" and "neurons_hard_concrete: 0.2" in found["reason"]


def test_ways_that_were_not_run_or_remove_nothing_do_not_apply():
    assert set(verdicts("removal", {}).values()) == {"not applicable"}
    assert verdicts("removal", tables(left={"top": 40}))[OTHERS] == "not applicable"
    same = {"neurons_zero_out": 5}
    assert verdicts("removal", tables(left=same))[MASKS] == "not applicable"
