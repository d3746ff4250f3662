"""Figure `counterfactual` on models with known answers: kinds of paragraphs, and what the caption says."""

import numpy as np
import pytest
from drawn import assert_as_stored
from figure_labels import checked
from made_halves import COPIED, MOVED, OWN, TEMPLATE, UNSEEN, N, half_scores, of_kinds

from memloc.figures import counterfactual as figure
from memloc.settings.sections import sections


@pytest.fixture(scope="module")
def drawing():
    scores, kinds = half_scores()
    ids = np.arange(len(kinds))
    some = [ids[kinds == kind][:n] for kind, n in {MOVED: 5, UNSEEN: 3, TEMPLATE: 1}.items()]
    recited = np.concatenate([ids[np.isin(kinds, [COPIED, OWN])], *some])
    table = of_kinds(scores, recited, by_rule=ids[(ids >= 10) & (ids < 25) | (kinds == MOVED)])
    table["repeats"] = np.where(np.isin(kinds, [UNSEEN, TEMPLATE]), 0, 1 + table["id"] % 9)
    settings = sections({"paragraph": {"length": 2 * N, "prefix": N}})
    return figure.draw({"counterfactual": table, "half_scores": scores}, settings)


def test_the_caption_counts_what_is_drawn(drawing):
    text = checked("counterfactual", drawing)
    assert "80 marks: how much" in text and "Of 16 models, a random half lacks" in text
    assert text.startswith("40 recited paragraphs are judged, 5 not: fewer than half")
    assert "20 come out anyway" in text
    assert "So do 10 of 15 that a rule gets, and 1 of 4 that no model saw" in text
    moved = (drawing.data["mark"] == figure.MOVED).sum()
    assert 0 < moved <= 15 and f"{moved} others never come out" in text
    held, a_weight = (drawing.numbers[name] for name in ("bits", "bits_a_weight"))
    assert a_weight[:3] == pytest.approx([bits / 1_000 for bits in held[:3]]) and a_weight.n == held.n


def test_the_caption_says_that_nothing_is_recited():
    scores, kinds = half_scores()
    table = of_kinds(scores, np.array([], int), by_rule=np.array([], int)).assign(repeats=1)
    settings = sections({"paragraph": {"length": 2 * N, "prefix": N}})
    text = checked("counterfactual", figure.draw({"counterfactual": table, "half_scores": scores}, settings))
    assert text.startswith("The model recites none of these paragraphs. Of 16 models")


def test_it_is_drawn_as_stored(drawing):
    assert_as_stored("counterfactual", drawing)
