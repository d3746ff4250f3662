"""Rankings of attention heads, made up."""

import numpy as np
import pandas as pd

from memloc.figures.parts.methods import method_label
from memloc.localization import head_ranking, head_scores
from memloc.tables.terms.head_ranking import COMBINED, PAPER_METHODS

METHOD_LABELS = {method: method_label(method) for method in (*PAPER_METHODS, COMBINED)}


def ranked_with_samples(n_layers: int, n_heads: int, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A ranking in which methods share a part of their scores, and rare_tokens contradicts them.

    And its ranks in 10 parts, in what they leave, and in 30 resamples.
    """
    heads = pd.MultiIndex.from_product([range(n_layers), range(n_heads)], names=["layer", "head"])
    random = np.random.default_rng(seed)
    common = np.asarray(heads.get_level_values("layer")) + random.normal(size=len(heads))
    signs = dict.fromkeys(PAPER_METHODS, 1) | {"rare_tokens": -1}
    scores = {m: sign * common + 0.5 * random.normal(size=len(heads)) for m, sign in signs.items()}
    kinds = {"part": 10, "rest": 10, "resample": 30}
    keys = pd.DataFrame([(kind, number) for kind, n in kinds.items() for number in range(n)])
    noisy = {
        method: (values + 0.3 * random.normal(size=(len(keys), len(values)))).reshape(-1, n_layers, n_heads)
        for method, values in scores.items()
    }
    keys.columns = ["sample", "number"]
    samples = head_ranking.sample_ranks(head_scores.Sampled(keys, noisy))
    ranking = head_ranking.rank_heads({m: pd.Series(values, heads) for m, values in scores.items()})
    return head_ranking.with_intervals(ranking, samples), samples
