"""The figure across checkpoints of one training, against counts by hand."""

import numpy as np
import pandas as pd
import pytest
from drawn import assert_as_stored
from figure_labels import SETTINGS, checked, clipped_labels, overlapping_labels
from made_tables import crossed

from memloc.figures import models_checkpoints

STEPS = {"step1000": 1000, "start": 0, "step16000": 16000, "step2000": 2000}


def tables_of(memorized):
    """Tables of models, not in the order of steps; `memorized` [paragraph, checkpoint] is in that order."""
    seen = crossed(model=sorted(STEPS, key=STEPS.get), id=range(len(memorized)))
    seen["set"] = np.where(np.transpose(memorized).ravel(), "memorized", "partly_11_29")
    sets = pd.concat([seen, crossed(model=STEPS, id=[10_000]).assign(set="unseen")], ignore_index=True)
    models = pd.DataFrame({"model": list(STEPS), "step": list(STEPS.values())})
    return {"models": models, "sets": sets, "scores": sets[["model", "id"]].assign(em=50)}


def drawn(memorized):
    drawing = models_checkpoints.draw(tables_of(memorized), SETTINGS)
    return drawing, checked("models_checkpoints", drawing)


def test_a_training_that_memorizes_nothing_says_so():
    drawing, caption = drawn([[False] * 4] * 20)
    assert (drawing.data.n_memorized == 0).all() and drawing.numbers["half"] is None
    assert "No checkpoint recites a paragraph." in caption and "Half" not in caption


def test_half_of_them_is_half():
    """Of two that the last step recites, the first one is from step 1000 on."""
    drawing, _ = drawn([[False, True, True, True], [False, False, True, True]])
    assert drawing.numbers["half"] == 1000


def test_a_share_of_few_paragraphs_has_no_interval():
    _, caption = drawn([[False, True, True, False], *[[False, False, True, True]] * 3, *[[False] * 4] * 9])
    assert "the last does not recite 25 (n = 4) %." in caption


def test_paragraphs_that_a_checkpoint_did_not_score_are_left_out():
    tables = tables_of([[True] * 4] * 8)
    sets = tables["sets"]
    tables["sets"] = sets[(sets["model"] != "start") | (sets["id"] > 2)]
    assert (models_checkpoints.draw(tables, SETTINGS).data.n_paragraphs == 5).all()


@pytest.mark.parametrize("steps", [(0, 1, 8, 143000), (3000, 5000, 6000, 7000), (0, 90, 95, 200)])
def test_labels_of_steps_are_readable(steps):
    tables = tables_of([[False, False, True, True]] * 20)
    others = dict(zip(sorted(STEPS.values()), steps, strict=True))
    tables["models"]["step"] = tables["models"]["step"].map(others)
    figure = models_checkpoints.draw(tables, SETTINGS).figure
    assert clipped_labels(figure) == [] and overlapping_labels(figure) == []
    shown = [label.get_text() for label in figure.axes[0].get_xticklabels()]
    assert len(shown) >= 2 and all(shown)


def test_it_is_drawn_as_stored():
    assert_as_stored("models_checkpoints", drawn((np.arange(800) * 7 % 11 < 5).reshape(200, 4).tolist())[0])
