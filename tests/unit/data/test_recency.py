"""When paragraphs were seen, against a loop over the windows of a training."""

import numpy as np
import pandas as pd
import pytest

from memloc.data.packing import places, windows
from memloc.data.recency import last_seen, places_in_training
from memloc.model.training import ordered
from memloc.settings.model import EmbeddedModel

LENGTH, CONTEXT = 6, 16


@pytest.mark.parametrize("seed", [None, 3])
def test_an_occurrence_is_seen_when_its_window_is(seed):
    """Every token of the text is another one, so a window tells which occurrences it holds."""
    n = 23
    text = np.arange(1, n * LENGTH + 1).reshape(n, LENGTH)
    rows = ordered(windows(text, 0, CONTEXT), seed)
    how = EmbeddedModel(source="embedded", context=CONTEXT, seed=seed)
    found = places_in_training(places(n, LENGTH), n * (LENGTH + 1), how)
    for place, tokens in zip(found, text, strict=True):
        (step,) = [number for number, row in enumerate(rows) if tokens[0] in row]
        assert place == pytest.approx(step / (len(rows) - 1))


def test_the_last_occurrence_is_that_of_all():
    ids = np.random.default_rng(0).integers(0, 5, 40)
    occurrences = pd.DataFrame({"id": ids, "place": places(40, LENGTH)})
    stream = pd.DataFrame({"tokens": [[1] * LENGTH] * 40})
    how = EmbeddedModel(source="embedded", context=CONTEXT)
    seen = places_in_training(occurrences["place"], 40 * (LENGTH + 1), how)
    found = last_seen(occurrences, stream, how)
    for name, last in found.items():
        own = [place for place, id in zip(seen, ids, strict=True) if id == name]
        assert last == pytest.approx(max(own))
