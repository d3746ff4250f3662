"""Figure of profiles on made-up numbers: what it shows and says."""

import numpy as np
import pandas as pd
import pytest
from drawn_parts import words
from figure_labels import checked

from memloc.figures import memory_profiles
from memloc.planting.likeness import NUMBERS

# By kind, in the order of the figure: label, and shift of the first number.
KINDS = {
    "natural": ("natural", 0),
    "grown_heads": ("grown: three heads", 0),
    "neurons": ("planted: neurons of a layer", -4),
    "none": ("none", 4),
}


def table(n):
    random, frames = np.random.default_rng(0), []
    for kind, (_, shift) in KINDS.items():
        values = random.normal(size=(n, len(NUMBERS))) + 10
        values[:, 0] += shift
        frames.append(pd.DataFrame(values, columns=NUMBERS).assign(kind=kind, id=range(n)))
    return pd.concat(frames, ignore_index=True)


def test_paragraphs_and_medians_are_drawn_and_the_caption_says_what_differs():
    rows = table(12)
    drawing = memory_profiles.draw({"memory_profiles": rows}, {})
    panels = drawing.figure.axes
    assert words(panels[0].get_yticklabels()) == [label for label, _ in KINDS.values()]
    for panel, number in zip(panels, [*NUMBERS, "log_odds"], strict=True):
        for place, kind in enumerate(KINDS):
            faint, bold = panel.collections[2 * place : 2 * place + 2]
            own = drawing.data.loc[rows["kind"] == kind, number]
            assert faint.get_offsets()[:, 0].tolist() == pytest.approx(own.tolist())
            assert bold.get_segments()[0][0, 0] == pytest.approx(own.median())
    said, groups = checked("memory_profiles", drawing), drawing.numbers["groups"]
    odds = drawing.data.loc[rows["kind"] == "grown_heads", "log_odds"]
    assert groups["grown"]["taken"].value == (odds > 0).mean() and groups["grown"]["taken"].n == 12
    assert groups["grown"]["taken"] in groups["grown"]["every"]
    assert "grown: in none of the numbers" in said and "planted: mean NLL (6" in said
    assert groups["planted"]["apart"].value > 0.8


def test_a_paragraph_that_is_planted_in_two_places_counts_once():
    rows = table(12)
    again = rows[rows["kind"] == "neurons"].assign(kind="heads")
    one, two = (
        memory_profiles.draw({"memory_profiles": each}, {}).numbers["groups"]["planted"]
        for each in (rows, pd.concat([rows, again], ignore_index=True))
    )
    assert one["taken"] == two["taken"] and one["apart"] == two["apart"] and one["taken"].n == 12


def test_groups_that_are_missing_or_few_are_not_made_up():
    rows = table(3)
    drawing = memory_profiles.draw({"memory_profiles": rows[rows["kind"] != "neurons"]}, {})
    assert "planted" not in drawing.numbers["groups"] and "AUROC" not in checked("memory_profiles", drawing)
