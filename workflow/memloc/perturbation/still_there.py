"""How much of a memorized continuation a perturbed prefix still brings out, at any place."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from memloc.scoring.near_verbatim import longest_run, n_edits

HELD = 0.5  # share of the memorized continuation; text with so long a run of it is still the memory


def still_there(perturbed: pd.DataFrame, memorized: Sequence[Sequence[int]]) -> pd.DataFrame:
    """How much of the memorized continuation is in the new one, for each row of table perturbed_paragraphs.

    Columns: edits (the fewest to get the memorized one) and held (half of it is there in a row).
    """
    rows = []
    for tokens, own in zip(perturbed["tokens"], memorized, strict=True):
        pair = np.asarray(tokens)[None, -len(own) :], np.asarray(own)[None]
        rows.append((n_edits(*pair)[0], longest_run(*pair)[0] >= HELD * len(own)))
    found = pd.DataFrame(rows, perturbed.index, columns=["edits", "held"])
    return found.astype({"edits": int, "held": bool})
