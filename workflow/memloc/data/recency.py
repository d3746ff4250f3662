"""When in its training a model saw each paragraph: its last and mean occurrence, as shares of the training.

The stream holds every occurrence, so this is exact: an occurrence is seen in the step of its window.
"""

import numpy as np
import pandas as pd
from jaxtyping import Float

from memloc.data import packing
from memloc.run.seeds import generator
from memloc.settings.model import EmbeddedModel, FineTunedModel


def places_in_training(
    n: int, length: int, how: EmbeddedModel | FineTunedModel
) -> Float[np.ndarray, "occurrence"]:
    """Where in the training, from 0 to 1, the windows of n occurrences of `length` tokens come.

    Windows come in the order in which they were packed, or in the order of the model's own seed.
    """
    window = packing.places(n, length) // how.context
    n_windows = int(-(-n * (length + 1) // how.context))
    if (seed := getattr(how, "seed", None)) is not None:
        window = np.argsort(generator(seed, "training", "order").permutation(n_windows))[window]
    return window / max(n_windows - 1, 1)


def recency(stream: pd.DataFrame, length: int, how: EmbeddedModel | FineTunedModel) -> pd.DataFrame:
    """When each paragraph was seen: a row per `id`, in shares of the training.

    `last` and `mean` are places of its whole occurrences, `spacing` is their mean distance (missing for a
    single occurrence).
    """
    seen = stream.assign(place=places_in_training(len(stream), length, how))
    places = seen[seen["whole"]].groupby("id")["place"]
    last, n = places.max(), places.size()
    spacing = (last - places.min()) / (n - 1).where(n > 1)
    return pd.DataFrame({"last": last, "mean": places.mean(), "spacing": spacing})
