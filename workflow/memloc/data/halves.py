"""Paragraphs that a model is trained without: random halves, and a stream without some of its paragraphs."""

from collections.abc import Iterable

import numpy as np
import pandas as pd
from jaxtyping import Bool, Int

from memloc.data import packing
from memloc.run.seeds import generator


def halves(n_models: int, n_paragraphs: int, seed: int) -> Bool[np.ndarray, "model paragraph"]:
    """Which paragraphs each model is trained on: every paragraph by half of the models, which are drawn anew
    for each, so that two paragraphs are together by chance alone.

    Of an odd number of models, one more goes without.
    """
    random = generator(seed, "counterfactual", "halves")
    places = np.tile(np.arange(n_models)[:, None], n_paragraphs)
    return random.permuted(places, axis=0) < n_models // 2


def rows_without(
    stream: pd.Series,
    paragraphs: pd.Series,
    left_out: Iterable[int],
    end_of_text: int,
    context: int,
) -> Int[np.ndarray, "window position"]:
    """The windows of a stream (ids of its occurrences) without all occurrences of some paragraphs.

    The others keep their order, and are packed anew. `paragraphs` has the tokens by id. A window may cut an
    occurrence that lay whole before, and the other way around.
    """
    kept = stream[~stream.isin(list(left_out))]
    return packing.windows(np.stack(paragraphs.loc[kept].to_list()), end_of_text, context)
