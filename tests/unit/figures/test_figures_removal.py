"""The figure on ways to remove, on made-up tables: what it shows and says."""

import numpy as np
import pytest
from drawn import assert_as_stored
from figure_labels import SETTINGS, checked
from made_removal import tables

from memloc.figures import removal
from memloc.figures.parts.removal import judged_ways


def test_labels_can_be_read_and_the_caption_is_complete_also_of_two_paragraphs():
    caption = checked("removal", removal.draw(tables(2), SETTINGS))
    assert "2 paragraphs removed together. Tinted:" in caption, "none is removed alone"


def test_ways_are_judged_by_their_distance_to_the_model_that_never_saw_the_paragraphs():
    found = tables()
    data = judged_ways(found).set_index(["way", "mode", "measure"])
    assert data.loc[("retrained", "joint", "nll_distance"), "value"] == 0
    assert data.loc[("top", "joint", "nll_distance"), "value"] == pytest.approx(2 - 0.35)
    assert data.loc[("nothing", "joint", "nll_distance"), "value"] == pytest.approx(2.9)
    assert data.loc[("top", "joint", "recited_4bit"), "value"] == pytest.approx(0.75)
    assert "nll_distance" not in set(judged_ways(tables(ways=["top"]))["measure"])


def test_no_interval_goes_beyond_what_is_possible():
    """Five of eight paragraphs are as unlike the others as can be, so that intervals go beyond all."""
    found = tables()
    rows = found["removal"]["way"] == "top"
    three = found["removal"].loc[rows, "id"] < 3
    found["removal"].loc[rows, "em"] = np.where(three, 50, 0)
    found["removal"].loc[rows, ["recited_perturbed", "edit_distance"]] = np.stack(
        [three, ~three], axis=1
    ).astype(float)
    data = judged_ways(found).set_index(["way", "mode", "measure"])
    forgotten = data.loc["top", "joint", "forgotten"]
    assert 0 < forgotten["low"] < forgotten["value"] < 50 == forgotten["high"]
    few, most = data.loc["top", "joint", "recited_perturbed"], data.loc["top", "joint", "edit_distance"]
    assert few["value"] == pytest.approx(3 / 8) and few["low"] == 0 < few["high"]
    assert most["value"] == pytest.approx(5 / 8) and most["low"] < 1 == most["high"]


def test_it_is_drawn_as_stored():
    drawing = removal.draw(tables(), SETTINGS)
    assert_as_stored("removal", drawing)
    assert checked("removal", drawing)
