"""Names and colours in figures say what they stand for."""

import pytest

from memloc.figures.fig5 import ARM_LABELS
from memloc.figures.parts import grown
from memloc.figures.parts.methods import method_label
from memloc.settings.methods import ENSEMBLE, METHODS
from memloc.settings.removal_ways import LABELS
from memloc.tables.terms.head_ranking import COMBINED

NAMED = {
    "methods": {method: method_label(method) for method in (*METHODS, ENSEMBLE, COMBINED)},
    "arms": ARM_LABELS,
    "ways": LABELS,
    "asked models": grown.ASKED_LABELS,
    "places": {kind: label.replace(",", "") for kind, label in grown.KIND_LABELS.items()},
}
OTHER_WORDS = {"combined", "nothing", "svd", "size", "inj", "scattered", "vo"}


@pytest.mark.parametrize("labels", NAMED.values(), ids=NAMED)
def test_every_word_of_a_name_is_in_its_label(labels):
    for name, label in labels.items():
        words = set(name.split("_")) - OTHER_WORDS
        shown = label.lower().replace("-", "")
        assert not [word for word in words if word not in shown], (name, label)
    assert len(set(labels.values())) == len(labels)
