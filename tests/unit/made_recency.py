"""Streams in which it decides when a paragraph was last seen, or does not."""

import numpy as np
import pandas as pd
from made_tables import frame_of

from memloc.data.recency import last_seen
from memloc.settings.sections import sections
from memloc.tables.columns import Lengths

LENGTHS = {"length": 6, "prefix": 4}
MODEL = {"source": "embedded", "context": 16, "seed": 3}
SETTINGS = sections({"paragraph": LENGTHS, "model": MODEL})


def tables(late=True, n=120, repeats=4):
    """Paragraphs that occur about equally often; those whose last occurrence is late are memorized, or
    random ones are."""
    random = np.random.default_rng(0)
    ids = random.permutation(np.repeat(np.arange(n), repeats))
    tokens = [*[[1] * 6] * (len(ids) - 1), [1] * 4_000]  # the order of windows depends on how many there are
    stream = pd.DataFrame({"tokens": tokens})
    occurrences = pd.DataFrame({"id": ids, "place": 7 * np.arange(len(ids))})
    last = last_seen(occurrences, stream, SETTINGS.model)
    chosen = last >= last.median() if late else pd.Series(random.permutation(n) < n // 2, last.index)
    sets = frame_of("sets", Lengths(6, 4), id=range(n), set=np.where(chosen, "memorized", "non_memorized"))
    counts = {"count": repeats, "continuation_count": repeats}
    unlike = [[number] * 6 for number in range(n)]
    paragraphs = frame_of("paragraphs", Lengths(6, 4), id=range(n), tokens=unlike, **counts)
    return {"training_stream": stream, "occurrences": occurrences, "sets": sets, "paragraphs": paragraphs}
