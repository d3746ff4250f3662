"""The figure on removals of grown memories, on made-up tables: what it shows and says."""

import pandas as pd
import pytest
from drawn_parts import words
from figure_labels import checked

from memloc.figures import removal_of_grown
from memloc.settings.removal_ways import EDITS, GROWN_ARMS, LABELS
from memloc.settings.sections import sections

SETTINGS = sections({"paragraph": {"prefix": 50, "length": 100}})


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
    said = checked("removal_of_grown", removal_of_grown.draw({"removal_of_grown": table(n)}, SETTINGS))
    inside = 10 if n == 1 else 20
    assert f"three heads (n = {n}) {inside}.0 % (" in said and ", 5.0 %" in said


def test_values_are_means_of_memories_in_each_arm():
    drawing = removal_of_grown.draw({"removal_of_grown": table(ways=["top", "kfac"])}, SETTINGS)
    data = drawing.data.set_index(["kind", "way", "arm", "measure"])["value"].loc["grown_heads", "top"]
    assert data["free", "share_inside"] == pytest.approx(0.2) and ("place", "share_inside") not in data.index
    assert data.xs("forgotten", level=1).to_dict() == {"free": 5, "place": 50, "elsewhere": 0}
    assert data.xs("again", level=1).to_dict() == {"free": 0, "place": 0.5}, "of what was forgotten"
    assert data["place", "memorized_lost"] == 2 and data["free", "nll_gained"] == 0
    first, shown = drawing.figure.axes[0], drawing.figure.axes[1]
    assert words(first.get_yticklabels()) == [LABELS["top"], LABELS["kfac"]]
    assert first.lines[-1].get_xdata() == pytest.approx([0.05, 0.05]), "chance"
    marks = {line.get_color(): line.get_xydata().tolist() for line in shown.lines if line.get_marker() == "o"}
    assert marks["#c8102e"] == [[50, 1], [50, 0]] and [x for x, _ in marks["black"]] == [5, 5]


def test_intervals_hold_possible_values_alone():
    rows = table(n=6, ways=["top"])
    rows["grown_lost"] = 50.0 * (rows["id"] == 0)
    found = removal_of_grown.draw({"removal_of_grown": rows}, SETTINGS).data.set_index(["measure", "arm"])
    lost, again = found.loc["grown_lost"], found.loc["again"]
    assert (lost["low"] == 0).all() and lost["high"].between(25, 30).all()
    assert (again["high"].dropna() == 1).all() and again["high"].notna().any()
    assert found.loc[("nll_gained", "place"), "low"].isna().all(), "equal values have none"
