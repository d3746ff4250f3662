"""Random halves of the paragraphs, which models are trained on."""

import numpy as np
from jaxtyping import Bool

from memloc.run.seeds import generator


def halves(n_models: int, n_paragraphs: int, seed: int) -> Bool[np.ndarray, "model paragraph"]:
    """Which paragraphs each model is trained on: every paragraph by half of the models, which are drawn anew
    for each, so that two paragraphs are together by chance alone.

    Of an odd number of models, one more goes without.
    """
    random = generator(seed, "counterfactual", "halves")
    places = np.tile(np.arange(n_models)[:, None], n_paragraphs)
    return random.permuted(places, axis=0) < n_models // 2
