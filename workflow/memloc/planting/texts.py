"""Choose the paragraphs to plant, and the paragraphs that plants must leave as they are."""

import numpy as np
import pandas as pd
from jaxtyping import Int

from memloc.run.errors import InputError
from memloc.scoring.held_out import seen

KNOWN_FROM = 0.1  # share of the continuation: a model that recites as much or more knows the paragraph


def unknown_paragraphs(
    paragraphs: pd.DataFrame,
    scores: pd.DataFrame,
    taken: set[int],
    n: int,
    n_continuation: int,
    random: np.random.Generator,
) -> Int[np.ndarray, "paragraph"]:
    """Ids of paragraphs to plant: the rarest ones of which the model recites less than a tenth.

    Args:
        paragraphs: id and count (occurrences).
        scores: id and em (tokens).
        taken: ids of paragraphs that serve as other texts.

    Raises:
        InputError: there are fewer than `n`.
    """
    rows = paragraphs[["id", "count"]].merge(scores[["id", "em"]], on="id")
    rows = rows[(rows["em"] < KNOWN_FROM * n_continuation) & ~rows["id"].isin(taken)]
    if len(rows) < n:
        raise InputError(
            f"planted_truth needs {n} paragraphs that the model does not know, but there are {len(rows)}: "
            "lower planted_truth.n_plants or planted_truth.tries, or have more paragraphs"
        )
    shuffled = rows.iloc[random.permutation(len(rows))]
    return shuffled.sort_values("count", kind="stable")["id"].to_numpy()[:n]


def kept_paragraphs(
    sets: pd.DataFrame, taken: set[int], n: int, random: np.random.Generator
) -> Int[np.ndarray, "paragraph"]:
    """Ids of paragraphs whose predictions plants keep: half memorized, half not, fewer if there are few.

    The samples of the analyses are taken first, so that other paragraphs are left to judge or to be planted.
    """
    chosen = []
    for name in ("memorized", "non_memorized"):
        own = sets[(sets["set"] == name) & ~sets["id"].isin(taken)]
        shuffled = own.iloc[random.permutation(len(own))]
        sampled_first = np.argsort(~seen(shuffled).to_numpy(dtype=bool), kind="stable")
        chosen.append(shuffled["id"].to_numpy()[sampled_first][: (n + 1) // 2])
    return random.permutation(np.concatenate(chosen))
