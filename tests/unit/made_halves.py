"""Models trained on halves of the paragraphs, whose answers are known."""

import numpy as np
import pandas as pd

from memloc.scoring.counterfactual import halves

N = 8  # tokens of a continuation
COPIED, OWN, MOVED, NOISE, UNSEEN = range(5)
KINDS = {
    COPIED: "every half holds a copy of it: all models recite it",
    OWN: "models recite it if they were trained on it",
    MOVED: "no model recites it, and training on it lowers its NLL",
    NOISE: "training changes nothing",
    UNSEEN: "no model is trained on it",
}


def half_scores(n_models=16, n_of_a_kind=20, seed=0):
    """Table `half_scores` of so many paragraphs of each kind; ids go from kind to kind."""
    kinds = np.repeat(list(KINDS), n_of_a_kind)
    trained = halves(n_models, len(kinds), seed) & (kinds != UNSEEN)
    noise = np.random.default_rng(seed).normal(0, 0.05, trained.shape)
    recited = (kinds == COPIED) | ((kinds == OWN) & trained)
    learned = trained & np.isin(kinds, [OWN, MOVED])
    nll = np.where(kinds == COPIED, 0.1, 3.0) - np.where(learned, np.where(kinds == OWN, 2.5, 0.5), 0) + noise
    frames = [
        pd.DataFrame(
            {
                "model": number,
                "id": np.arange(len(kinds)),
                "trained": trained[number],
                "em": np.where(recited[number], N, number % 3),
                "nll": np.maximum(nll[number], 0),
            }
        )
        for number in range(n_models)
    ]
    return pd.concat(frames, ignore_index=True), kinds
