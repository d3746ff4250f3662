"""Which paragraphs grow in a model while it is trained; no analysis but planted truth takes them."""

import numpy as np
import pandas as pd
from jaxtyping import Int

from memloc.run.seeds import generator
from memloc.settings.base import Section


def grown_ids(paragraphs: pd.DataFrame, how: Section, seed: int) -> Int[np.ndarray, "memory"]:
    """Ids of the paragraphs to grow, in the order of the memories: drawn from the unseen ones.

    `paragraphs` has columns id and unseen; `how` is section `model.grown`.
    """
    unseen = paragraphs.loc[paragraphs["unseen"], "id"].to_numpy()
    return generator(seed, "grown", "paragraphs").permutation(unseen)[: how.n_paragraphs]
