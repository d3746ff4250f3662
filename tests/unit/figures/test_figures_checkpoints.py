"""The figure across checkpoints of one training, against counts by hand."""

import numpy as np
import pandas as pd
import pytest
from drawn_parts import band_at
from figure_labels import checked, clipped_labels, overlapping_labels
from made_tables import crossed
from scipy import stats

from memloc.figures import models_checkpoints
from memloc.settings.sections import sections

SETTINGS = sections({"paragraph": {"length": 100, "prefix": 50}})
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


@pytest.mark.parametrize("last", [0.8, 0.4])
def test_rows_are_those_counted_by_hand(last):
    """Also of a training whose last checkpoint recites less than the one before."""
    memorized = (np.random.default_rng(0).random((200, 4)) < [0.05, 0.3, 0.5, last]).tolist()
    drawing, caption = drawn(memorized)
    data, (n_memorized, *_) = drawing.data, zip(*memorized, strict=True)
    assert data.step.tolist() == [0, 1000, 2000, 16000] and (data.n_paragraphs == 200).all()
    assert data.n_memorized.tolist() == np.sum(memorized, axis=0).tolist() and sum(n_memorized) > 0
    assert data.n_stays.tolist() == [sum(all(row[place:]) for row in memorized) for place in range(4)]
    n_last = sum(row[-1] for row in memorized)
    assert data.stays_share.tolist() == pytest.approx([n / n_last for n in data.n_stays])
    for row in data.itertuples():
        expected = stats.binomtest(row.n_stays, n_last).proportion_ci(0.95, method="wilson")
        assert (row.stays_low, row.stays_high) == pytest.approx((expected.low, expected.high))
    left, right = drawing.figure.axes
    for axes, name, prefix in ((left, "fraction", ""), (right, "stays_share", "stays_")):
        (line,), (band,) = axes.lines, axes.collections
        assert line.get_xydata().tolist() == data[["step", name]].to_numpy().tolist()
        for _, row in data.iterrows():
            assert band_at(band, row["step"]) == (row[f"{prefix}low"], row[f"{prefix}high"])
        assert axes.get_xticks().tolist() == [0, 1000, 10_000]
    assert data["fraction"].tolist() == pytest.approx((np.sum(memorized, axis=0) / 200).tolist())
    names = ("n_paragraphs", "n_checkpoints", "first_step", "last_step")
    assert [drawing.numbers[name] for name in names] == [200, 4, 0, 16000]
    assert "Of unseen paragraphs," in caption
    ever = sum(map(any, memorized))
    lost = 100 * (1 - n_last / ever)
    assert f"{ever} paragraphs that any checkpoint recites, the last does not recite {lost:.0f} (" in caption
    half = next(row.step for row in data.itertuples() if row.stays_share >= 0.5)
    assert f"Half of them are recited from step {half:,} on." in caption


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
