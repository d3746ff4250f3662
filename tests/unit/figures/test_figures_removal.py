"""Figures on ways to remove, on made-up tables: what they say, and that their captions are complete."""

import re
from pathlib import Path

import pytest
from figure_labels import clipped_labels, overlapping_labels
from made_removal import tables
from matplotlib import pyplot as plt

from memloc.figures import removal, removal_table
from memloc.figures.parts.removal import LABELS, WAY_STYLES, judged_ways, ways_of
from memloc.run.templates import fill
from memloc.settings.removal_ways import WAY_NAMES
from memloc.settings.sections import sections

REPORT = Path(__file__).parents[3] / "workflow" / "report"
SETTINGS = sections({"paragraph": {"prefix": 50, "length": 100}})


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


@pytest.mark.parametrize("module", [removal, removal_table])
@pytest.mark.parametrize("n", [2, 8])
def test_figures_are_drawn_and_captions_complete(module, n):
    drawing = module.draw(tables(n), SETTINGS)
    name = module.__name__.rpartition(".")[2]
    caption = fill((REPORT / f"{name}.rst").read_text(), drawing.numbers | {"study": "made"})
    assert len(drawing.data) and not re.search(r"[{}]|\bnan\b|None", caption), caption
    assert clipped_labels(drawing.figure) == [] and overlapping_labels(drawing.figure) == []


def test_every_way_has_a_style():
    assert tuple(WAY_STYLES) == WAY_NAMES
    assert ways_of(tables(ways=("heads", "top"))["removal"]) == ["top", "heads"]


def test_values_are_means_of_paragraphs_and_of_texts():
    data = judged_ways(tables()).set_index(["way", "mode", "measure"])
    own = data.loc["top", "joint", "forgotten"]
    assert own["value"] == pytest.approx(40) and own["n"] == 8 and own["low"] <= 40 <= own["high"]
    assert data.loc[("top", "joint", "em_own_lost"), "value"] == pytest.approx(5)
    assert data.loc[("top", "joint", "nll_gained"), "value"] == pytest.approx(0.05)
    assert data.loc[("top", "single", "em_own_lost"), "n"] == 2  # by removed paragraph
    assert data.loc[("nothing", "joint", "forgotten"), "value"] == 0
    sampled = data.loc["top", "joint", "sampled"]
    assert sampled["value"] == sampled["low"] == 0 and 0.3 < sampled["high"] < 0.4  # 0 of 8, by Wilson
    assert data.loc[("heads", "joint", "sampled"), "value"] == 1
    assert data.loc[("top", "joint", "relearning"), "n"] == 4
    assert data.loc[("nothing", "joint", "changed"), "value"] == 0


def test_the_front_holds_what_no_other_way_beats():
    drawing = removal.draw(tables(), SETTINGS)
    assert set(drawing.data.loc[drawing.data["front"], "way"]) == {"top", "all"}  # steering: beaten by top
    assert [row["label"] for row in drawing.numbers["front"]] == ["top gradients", "all weights"]


def test_a_lead_within_its_interval_beats_nobody():
    """With five texts and paragraphs nothing is certain, so that every way stays on the front."""
    drawing = removal.draw(tables(5), SETTINGS)
    assert drawing.data["front"].sum() == len(drawing.data[drawing.data["way"] != "nothing"])


def test_the_table_has_a_line_per_way_and_mode():
    drawing = removal_table.draw(tables(), SETTINGS)
    shown = [text.get_text() for text in drawing.figure.findobj(plt.Text)]
    assert "the model as it is" in shown and "top gradients, one by one" in shown
    assert "low curvature (K-FAC), one by one" not in shown
    assert "40.0 (40.0 to 40.0)" in shown and "1,234" in shown


def test_the_table_marks_ways_that_aim_at_all_memories():
    found = removal_table.draw(tables(8), {}).figure.axes[0]
    names = {text.get_text() for text in found.texts if text.get_text().endswith(" *")}
    assert names == {f"{LABELS[way]} *" for way in ("svd", "kfac")}
