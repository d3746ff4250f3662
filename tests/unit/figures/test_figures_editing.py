"""Figures on editing on made-up tables: plotted numbers, verdicts, readable labels."""

import numpy as np
import pandas as pd
import pytest
from figure_labels import checked
from made_tables import crossed

from memloc.figures import editing_robustness
from memloc.figures.parts import edit_summary
from memloc.settings.editing import ARMS
from memloc.settings.sections import sections

RATE = 1e-3
OBJECTIVES = ("unlearn", "edit")
# Tokens that remain of memorized paragraphs and of controls.
LEFT = {
    "all": {"unlearn": (2, 10), "edit": (10, 20)},
    "top": {"unlearn": (1, 40), "edit": (11, 30)},
    "random": {"unlearn": (50, 50), "edit": (50, 50)},
    "head": {"unlearn": (20, 45), "edit": (30, 45)},
    "other_head": {"unlearn": (48, 47), "edit": (49, 48)},
}
GIVEN = {
    "paragraph": {"length": 100, "prefix": 50},
    "editing": {"steps": 10, "n_controls": 10, "relearning_limit": 5},
    "highlight": {"layer": 1, "head": 2},
    "sets": {},
}
SETTINGS = sections(GIVEN)


def made_up() -> dict[str, pd.DataFrame]:
    """Six paragraphs."""
    rows = crossed(objective=OBJECTIVES, arm=ARMS, id=range(6)).assign(learning_rate=RATE)
    left = [LEFT[arm][objective] for arm, objective in zip(rows["arm"], rows["objective"], strict=True)]
    memorized, control = np.transpose(left)
    jitter = np.random.default_rng(0).uniform(0, 0.5, len(rows)) * (memorized < 50)
    rows = rows.assign(em_memorized=memorized + jitter, em_control=control - jitter, recited_before=0.7)
    rows["em_target"] = np.where(rows["objective"] == "unlearn", np.nan, 50 - memorized)
    rows["recited"] = (memorized == 50) * 0.7
    rows["relearning_steps"] = pd.Series(2, rows.index, "Int64").mask(memorized < 5)
    return {"edits": rows}


def test_every_arm_has_a_label_and_a_colour_of_its_own():
    assert set(edit_summary.ARM_STYLES) == set(ARMS)
    for styles in zip(*edit_summary.ARM_STYLES.values(), strict=True):
        assert len(set(styles)) == len(ARMS)


def middles(axes) -> dict[str, float]:
    """The line of each arm; dots of an arm follow its line."""
    ends = [lines.get_segments()[0] for lines in axes.collections[::2]]
    return {ARMS[round(segment[:, 0].mean())]: segment[0, 1] for segment in ends}


@pytest.mark.parametrize(("steps", "median"), [([1, 2, 4, None, None], 4), ([1, 2, None, None, None], 6)])
def test_medians_are_of_all_that_were_forgotten(steps, median):
    """Also of those that have not come back, which a median of the others alone would leave out."""
    tables = made_up()
    edits = tables["edits"]
    own = (edits["objective"] == "unlearn") & (edits["arm"] == "all")
    edits.loc[own, "em_memorized"] = [0.0] * 5 + [50.0]
    edits.loc[own, "relearning_steps"] = pd.array([*steps, 0], dtype="Int64")
    drawing = editing_robustness.draw(tables, SETTINGS)
    right = drawing.figure.axes[1]
    assert median == middles(right)["all"]
    assert right.lines[0].get_ydata() == [5.5, 5.5] and right.get_ylim()[1] > 6, "a line, and room above it"
    n_back = sum(step is not None for step in steps)
    assert f"within 5 steps: all weights {n_back} of 5 (" in checked("editing_robustness", drawing)


def test_the_caption_says_where_relearning_was_not_tried():
    untried = sections(GIVEN | {"editing": GIVEN["editing"] | {"relearning_limit": 0}})
    text = checked("editing_robustness", editing_robustness.draw(made_up(), untried))
    assert "Relearning was not tried" in text and "0 steps" not in text
