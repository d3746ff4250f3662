"""Distance of a greedy continuation from the true one.

One token that is left out shifts all that follow, so exact match ends there. The Levenshtein distance
instead counts the tokens to insert, delete or replace, and the longest common run counts those that are
recited without a break, wherever they stand. This is the distance of one decoding.
"""

from difflib import SequenceMatcher

import numpy as np
from jaxtyping import Int
from rapidfuzz.distance import Levenshtein

NEARLY = 0.1  # of a continuation's tokens differ at most
Tokens = Int[np.ndarray, "paragraph token"]


def n_edits(decoded: Tokens, true: Tokens) -> Int[np.ndarray, "paragraph"]:
    """Fewest tokens to insert, delete or replace in each decoded continuation to get the true one."""
    pairs = zip(decoded.tolist(), true.tolist(), strict=True)
    return np.array([Levenshtein.distance(*pair) for pair in pairs], dtype=np.int64)


def longest_run(decoded: Tokens, true: Tokens) -> Int[np.ndarray, "paragraph"]:
    """Most tokens in a row that each pair of continuations has in common, at any two places."""
    pairs = zip(decoded.tolist(), true.tolist(), strict=True)
    runs = [SequenceMatcher(None, *pair, autojunk=False).find_longest_match() for pair in pairs]
    return np.array([run.size for run in runs], dtype=np.int64)
