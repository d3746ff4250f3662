"""Texts that share a run of tokens with a training text; the other texts are unseen.

Runs of 13 tokens are the usual measure of overlap (2005.14165, appendix C). A paragraph that shares none
differs from every passage of the training text in at least one of 13 tokens, so near-duplicates are out.
"""

import numpy as np
from jaxtyping import Bool, Int
from numpy.lib.stride_tricks import sliding_window_view

from memloc.data.own_text import Stream, block_hashes, window_hashes

RUN = 13  # tokens


def overlapping(
    paragraphs: Int[np.ndarray, "paragraph token"], text: Stream, n_prefix: int
) -> Bool[np.ndarray, "paragraph"]:
    """Which paragraphs share a run of 13 tokens with a text, at any offset, and so are not unseen.

    Where continuations are shorter than 13 tokens, the run is as long as they are.
    Memory: some 20 bytes per token of the paragraphs; the text is read in blocks.
    """
    n, length = paragraphs.shape
    run = min(RUN, length - n_prefix)
    if not n:
        return np.zeros(n, dtype=bool)
    known, place = np.unique(window_hashes(paragraphs.ravel(), run), return_inverse=True)
    found = np.zeros(len(known), dtype=bool)
    for _, windows in block_hashes(text._replace(length=run)):
        at = np.minimum(np.searchsorted(known, windows), len(known) - 1)
        found[at[known[at] == windows]] = True
    whole = np.zeros(n * length, dtype=bool)
    whole[: len(place)] = found[place]
    return sliding_window_view(whole, length - run + 1)[::length].any(axis=1)
