"""Halves of a training text: each further model is trained without a random half of the paragraphs.

A paragraph is left out with all its near-copies. In code, the near-copies of one paragraph overlap those of
others, and a chain of these joins nearly all files. So only paragraphs are drawn whose near-copies share no
token with those of the others drawn; each is then left out independently. The rest of the text stays.
"""

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
from jaxtyping import Bool, Int

from memloc.data.near_copies import near_copies
from memloc.data.own_text import joined
from memloc.run.seeds import generator


def halves(n_models: int, n_paragraphs: int, seed: int) -> Bool[np.ndarray, "model paragraph"]:
    """Which paragraphs each model is trained on. Half of the models (rounded down) train on a paragraph. They
    are drawn anew for each paragraph, so two paragraphs share a training by chance alone.
    """
    random = generator(seed, "counterfactual", "halves")
    places = np.tile(np.arange(n_models)[:, None], n_paragraphs)
    return random.permuted(places, axis=0) < n_models // 2


def half_texts(paragraphs: pd.DataFrame, stream: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Rows of table `half_texts`: where the copies of the paragraphs begin that models train with or without.

    Paragraphs that the study's model recites choose first, and then those with the fewest copies; of equal
    ones, chance decides.

    Args:
        paragraphs: id and tokens of those that may be drawn, and whether each is `recited`.
        stream: table `training_stream`.
    """
    length = len(paragraphs["tokens"].iloc[0])
    text = joined(stream["tokens"], length).tokens
    copies = copies_of(paragraphs, stream, text)
    random = generator(seed, "counterfactual", "order").permutation(len(copies))
    order = np.lexsort([random, list(map(len, copies)), ~paragraphs["recited"]])
    chosen = [(row, place) for row in apart(copies, order, len(text), length) for place in copies[row]]
    rows, places = np.array(chosen, dtype=np.int64).reshape(-1, 2).T
    return pd.DataFrame({"id": paragraphs["id"].to_numpy()[rows], "place": places})


def copies_of(
    paragraphs: pd.DataFrame, stream: pd.DataFrame, text: Int[np.ndarray, "token"]
) -> list[list[int]]:
    """Where the copies of each paragraph begin in the text: documents that are written as one of it, and
    near-copies. None overlap: the closest come first.
    """
    tokens = np.stack(paragraphs["tokens"])
    lengths = stream["tokens"].map(len) + 1
    begins = (lengths.cumsum() - lengths).groupby(stream["id"]).agg(list)
    found = []
    for id, (places, edits) in zip(paragraphs["id"], near_copies(tokens, text), strict=True):
        chosen = list(begins.get(id, []))
        for place in places[np.argsort(edits, kind="stable")].tolist():
            if all(abs(place - other) >= tokens.shape[1] for other in chosen):
                chosen.append(place)
        found.append(sorted(chosen))
    return found


def apart(copies: Sequence[Sequence[int]], order: Iterable[int], n_tokens: int, length: int) -> list[int]:
    """Rows, in this order, whose copies share no token of the text with those of a row before them."""
    taken, chosen = np.zeros(n_tokens, dtype=bool), []
    for row in order:
        own = within(copies[row], n_tokens, length)
        if own.any() and not taken[own].any():
            taken |= own
            chosen.append(row)
    return chosen


def within(places: Sequence[int] | pd.Series, n_tokens: int, length: int) -> Bool[np.ndarray, "token"]:
    """Which tokens of a text lie in the stretches that begin at these places."""
    marked = np.zeros(n_tokens, dtype=bool)
    for place in places:
        marked[place : place + length] = True
    return marked
