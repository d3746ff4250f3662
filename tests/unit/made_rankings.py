"""Rankings of attention heads, made up."""

import numpy as np
import pandas as pd

from memloc import head_ranking
from memloc.tables import METHODS


def ranked(n_layers: int, n_heads: int, seed: int) -> pd.DataFrame:
    """A ranking in which methods share a part of their scores, and rare_tokens contradicts them."""
    heads = pd.MultiIndex.from_product([range(n_layers), range(n_heads)], names=["layer", "head"])
    random = np.random.default_rng(seed)
    common = np.asarray(heads.get_level_values("layer")) + random.normal(size=len(heads))
    signs = dict.fromkeys(METHODS, 1) | {"rare_tokens": -1}
    scores = {m: sign * common + 0.5 * random.normal(size=len(heads)) for m, sign in signs.items()}
    return head_ranking.rank_heads({m: pd.Series(values, heads) for m, values in scores.items()})
