"""Figure `counterfactual` on models with known answers: kinds of paragraphs, and what the caption says."""

import numpy as np
import pytest
from drawn import assert_as_stored
from figure_labels import checked
from made_halves import COPIED, OWN, UNSEEN, N, half_scores, of_kinds

from memloc.figures import counterfactual as figure
from memloc.settings.sections import sections


@pytest.fixture(scope="module")
def drawing():
    scores, kinds = half_scores()
    ids = np.arange(len(kinds))
    recited = np.append(ids[np.isin(kinds, [COPIED, OWN])], ids[kinds == UNSEEN][:3])
    table = of_kinds(scores, recited, by_rule=ids[10:25])
    table["repeats"] = np.where(kinds == UNSEEN, 0, 1 + table["id"] % 9)
    settings = sections({"paragraph": {"length": 2 * N, "prefix": N}})
    return figure.draw({"counterfactual": table, "half_scores": scores}, settings)


def test_the_caption_counts_what_is_drawn(drawing):
    text = checked("counterfactual", drawing)
    assert "one of 80:" in text and "16 models each lack" in text
    assert text.startswith("Of 40 paragraphs that the study's model recites, 20 come out anyway")
    assert "So do 10 of 15 that a rule gets, and 0 of 3 that no model saw" in text
    assert f"No model recites {(drawing.data['mark'] == figure.MOVED).sum()} others" in text
    held, a_weight = (drawing.numbers[name] for name in ("bits", "bits_a_weight"))
    assert a_weight[:3] == pytest.approx([bits / 1_000 for bits in held[:3]]) and a_weight.n == held.n


def test_it_is_drawn_as_stored(drawing):
    assert_as_stored("counterfactual", drawing)
