"""When in its training a model saw each paragraph last, as a share of the training.

All occurrences are known, so this is exact: one is seen in the step of the window in which it begins.
"""

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from memloc.run.seeds import generator
from memloc.settings.model import EmbeddedModel, FineTunedModel


def places_in_training(
    places: Int[np.ndarray, "occurrence"], n_tokens: int, how: EmbeddedModel | FineTunedModel
) -> Float[np.ndarray, "occurrence"]:
    """When in the training, from 0 to 1, places of a packed text of `n_tokens` come.

    Windows come in the order in which they were packed, or in the order of the model's own seed.
    """
    window, n_windows = places // how.context, -(-n_tokens // how.context)
    if (seed := getattr(how, "seed", None)) is not None:
        window = np.argsort(generator(seed, "training", "order").permutation(n_windows))[window]
    return window / max(n_windows - 1, 1)


def last_seen(
    occurrences: pd.DataFrame, stream: pd.DataFrame, how: EmbeddedModel | FineTunedModel
) -> pd.Series:
    """When each paragraph was last seen, a share of the training by `id`.

    `stream` has the tokens of every document.
    """
    n_tokens = int(stream["tokens"].map(len).sum()) + len(stream)
    when = places_in_training(occurrences["place"].to_numpy(), n_tokens, how)
    return occurrences.assign(last=when).groupby("id")["last"].max()
