"""The figure on removals of grown memories, on made-up tables: what it shows and says."""

import pandas as pd
import pytest
from drawn import assert_as_stored
from figure_labels import SETTINGS, checked

from memloc.figures import removal_of_grown
from memloc.settings.removal_ways import EDITS, GROWN_ARMS


def table(n=8, ways=EDITS, kinds=("grown_heads", "grown_weights")):
    """Told the place, ways forget all and half comes back; as they are, they change one fifth there."""
    keys = [(kind, way, arm, id) for kind in kinds for way in ways for arm in GROWN_ARMS for id in range(n)]
    rows = pd.DataFrame(keys, columns=["kind", "way", "arm", "id"])
    odd, told = rows["id"] % 2, rows["arm"] == "place"
    inside = {"free": 0.2, "place": 1.0, "elsewhere": None}
    rows["share_inside"] = rows["arm"].map(inside) + (odd - 0.5) / 5 * (rows["arm"] == "free")
    rows["em"] = 50 - 50 * told - 10 * (rows["arm"] == "free") * odd
    rows["relearning_steps"] = (3 * odd).where(told & (odd > 0) | (rows["em"] == 50)).astype("Int64")
    return rows.assign(share_place=0.05, grown_lost=odd, memorized_lost=2.0 * told, nll_gained=0.5 * told)


@pytest.mark.parametrize("n", [1, 8])
def test_labels_can_be_read_and_the_caption_says_how_many_memories_there_are(n):
    rows = table(n)
    rows.loc[rows["way"] == EDITS[0], "share_inside"] /= 2
    said = checked("removal_of_grown", removal_of_grown.draw({"removal_of_grown": rows}, SETTINGS))
    inside = 10 if n == 1 else 20
    assert f"three heads (n = {n}) {inside}.0 % (" in said and ", 5.0 %" in said


def test_intervals_hold_possible_values_alone():
    rows = table(ways=["top"])
    rows["grown_lost"] = 50.0 * (rows["id"] % 8 < 3)
    found = removal_of_grown.draw({"removal_of_grown": rows}, SETTINGS).data.set_index(["measure", "arm"])
    lost, again = found.loc["grown_lost"], found.loc["again"]
    assert (lost["low"] == 0).all() and lost["high"].between(35, 45).all()
    assert (again["high"].dropna() == 1).all() and again["high"].notna().any()
    assert found.loc[("nll_gained", "place"), "low"].isna().all(), "equal values have none"


def test_it_is_drawn_as_stored():
    assert_as_stored("removal_of_grown", removal_of_grown.draw({"removal_of_grown": table()}, SETTINGS))
