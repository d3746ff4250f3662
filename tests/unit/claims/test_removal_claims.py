"""Claims on ways to remove, on made-up tables with known verdicts."""

import numpy as np
import pandas as pd
import pytest
from made_claims import cells, judged, verdicts

SPARES = "removal_top_spares_more"
# Of how many of 40 paragraphs each way leaves the whole, and how far it raises the NLL of other text.
LEFT = {"nothing": 40, "top": 0, "all": 0}
RISEN = dict.fromkeys(LEFT, 1.0) | {"nothing": 0.0, "top": 0.5}


def tables(left=(), risen=(), n=40):
    left = LEFT | dict(left)
    rows = cells({"way": LEFT}, n, {(way,): 1 + rise for way, rise in (RISEN | dict(risen)).items()}, 0.1)
    group = np.where(rows["id"] % 2, "memorized", "non_memorized")
    damage = rows.assign(mode="joint", group=group, nll=rows["value"])
    joint = rows.assign(mode="joint", em=np.where(rows["id"] < rows["way"].map(left), 50, 3))
    single = rows.assign(mode="single", em=50)
    held_out = damage.assign(id=damage["id"] + 1000, group="held_out", nll=99.0 * (damage["way"] == "all"))
    return {"removal": pd.concat([joint, single]), "removal_damage": pd.concat([damage, held_out])}


@pytest.mark.parametrize(
    ("changes", "verdict", "value"),
    [
        ({}, "holds", 50),
        ({"risen": {"top": 1.0}, "n": 400}, "no difference that matters", 0),
        ({"risen": {"top": 2.0}, "n": 5}, "too few", -100),
        ({"risen": {"all": -1.0}}, "not applicable", None),  # who harms nothing cannot be spared
    ],
)
def test_other_text_is_spared_where_its_nll_rises_less(changes, verdict, value):
    row = judged("removal", tables(**changes)).loc[SPARES]
    assert (row["verdict"], row["value"]) == (verdict, pytest.approx(value, abs=12))


@pytest.mark.parametrize("way", ["top", "all"])
def test_who_removes_little_spares_everybody(way):
    assert verdicts("removal", tables(left={way: 1}))[SPARES] == "not applicable"


def test_ways_that_were_not_run_do_not_apply():
    assert set(verdicts("removal", {}).values()) == {"not applicable"}
