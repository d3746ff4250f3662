"""Figure `positions` on a made-up table: what is plotted, against a loop over the rows."""

import pandas as pd
import pytest
from figure_labels import checked

from memloc.figures import positions
from memloc.settings.sections import sections

SETTINGS = sections({"paragraph": {"length": 10, "prefix": 4}})
PLACES = [("start", 0, 0), ("end_of_text", 1, 0), ("text", 1, 0), ("text", 1, 1), ("shifted", 1, 0)]


@pytest.fixture
def rows():
    """Of eight memorized paragraphs three are recited after both texts, the fourth after the first."""
    made = []
    for group, n in (("memorized", 8), ("unseen", 7)):
        for number in range(n):
            for context, n_before, draw in PLACES:
                recited = group == "memorized" and (context != "text" or number < 3 + (draw == 0))
                values = {"em": 6 if recited else 2, "nll": number / 10 + n_before + draw}
                made.append((group, number, context, n_before, draw, *values.values()))
    return pd.DataFrame(made, columns=["group", "id", "context", "n_before", "draw", "em", "nll"])


def test_shares_and_means_are_those_of_the_paragraphs(rows):
    data = positions.draw({"positions": rows}, SETTINGS).data.set_index(["measure", "group", "context"])
    assert data.loc[("recited", "memorized", "start"), "value"] == 1
    assert data.loc[("recited", "memorized", "text"), "value"] == 4 / 8  # after the first text
    assert data.loc[("recited", "unseen", "start"), "value"] == 0
    assert data.loc[("nll", "memorized", "text"), "value"] == pytest.approx(0.35 + 1.5)
    assert (data["n"] == data.index.get_level_values("group").map({"memorized": 8, "unseen": 7})).all()


def test_places_are_named_in_the_order_of_the_table(rows):
    drawing = positions.draw({"positions": rows}, SETTINGS)
    left, right = drawing.figure.axes
    labels = [label.get_text() for label in left.get_yticklabels()]
    expected = ["from position 0", "after end-of-text", "after 1 token of other text", "1 positions later"]
    assert labels == expected
    assert left.get_ylim() == right.get_ylim() == (3.5, -0.5)
    points = next(line for line in left.lines if line.get_label() == "memorized")
    assert points.get_xdata().tolist() == [1, 1, 4 / 8, 1]


def test_the_caption_tells_the_first_place_and_that_of_the_fewest(rows):
    text = checked("positions", positions.draw({"positions": rows}, SETTINGS))
    assert "Of 8 memorized paragraphs, the model recites 100 (68 to 100) % from position 0 and" in text
    assert "where it recites least, 50 (22 to 78) % after 1 token of other text." in text
