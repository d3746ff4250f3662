"""Figure `counterfactual` on models with known answers: kinds of paragraphs, and what the caption says."""

import numpy as np
import pytest
from drawn import assert_as_stored
from figure_labels import checked
from made_halves import COPIED, OWN, UNSEEN, N, half_scores

from memloc.figures import counterfactual as figure
from memloc.scoring.counterfactual import counterfactual
from memloc.settings.sections import sections


@pytest.fixture(scope="module")
def drawing():
    scores, kinds = half_scores()
    table = counterfactual(scores, N)
    table = table.assign(em=np.where(np.isin(kinds, [COPIED, OWN]), N, 0))
    table["repeats"] = np.where(kinds == UNSEEN, 0, 1 + table["id"] % 9)
    settings = sections({"paragraph": {"length": 2 * N, "prefix": N}})
    return figure.draw({"counterfactual": table, "half_scores": scores}, settings)


def test_the_caption_counts_what_is_drawn(drawing):
    text = checked("counterfactual", drawing)
    assert "of 80 paragraphs" in text and "16 models were each" in text
    assert "Of 40 paragraphs that the study's own model recites, 20 come out anyway" in text
    assert f"{(drawing.data['kind'] == figure.MOVED).sum()} are recited by no model" in text


def test_it_is_drawn_as_stored(drawing):
    assert_as_stored("counterfactual", drawing)
