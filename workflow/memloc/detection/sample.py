"""The paragraphs that detection is fitted to and judged on."""

import pandas as pd

from memloc.data.sets import exposure, sample_ids
from memloc.run.seeds import generator


def draw_sample(paragraphs: pd.DataFrame, n_repeated: int, n_others: int, seed: int) -> pd.DataFrame:
    """Draw paragraphs by how often they occur, whether the model recites them or not.

    At most `n_repeated` of them occur more than once, at most `n_others` once, and at most `n_others` are
    unseen. `paragraphs` has id, count, continuation_count and unseen; the rows that are drawn come back in
    their order, with `exposure`.
    """
    repeats = exposure(paragraphs)
    groups = {
        "repeated": (~paragraphs["unseen"] & (repeats > 1), n_repeated),
        "once": (~paragraphs["unseen"] & (repeats <= 1), n_others),
        "unseen": (paragraphs["unseen"], n_others),
    }
    drawn = [
        sample_ids(paragraphs["id"][rows], n, generator(seed, "detection", name)).to_series()
        for name, (rows, n) in groups.items()
    ]
    found = paragraphs.assign(exposure=repeats)
    return found[found["id"].isin(pd.concat(drawn))].reset_index(drop=True)
