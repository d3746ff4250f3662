"""The number of draws until sampling gives a continuation, from the log of its probability (2410.19482).

Of n draws with probability p each, at least one is the continuation with probability 1 - (1 - p)^n. The
probabilities of whole continuations are far below the smallest number that a float can hold: everything here
takes and returns logarithms.
"""

import numpy as np
from jaxtyping import Float

SMALL = np.log(1e-12)  # below it -log(1 - p) is p, to all digits of a float


def log_hazard(log_p: Float[np.ndarray, "*n"]) -> Float[np.ndarray, "*n"]:
    """log(-log(1 - p)): log of what each draw adds to -log P(never seen); -inf for p = 0."""
    log_p = np.asarray(log_p, dtype=np.float64)
    with np.errstate(divide="ignore"):  # p = 1: the first draw is enough
        exact = np.log(-np.log1p(-np.exp(np.maximum(log_p, SMALL))))
    return np.where(log_p < SMALL, log_p, exact)


def log_draws(log_p: Float[np.ndarray, "*n"], confidence: float) -> Float[np.ndarray, "*n"]:
    """Logarithm of the number of draws that give the continuation with probability `confidence`.

    It is at least 0 (one draw), and infinite if p is 0. The number need not be whole.
    """
    return np.maximum(np.log(-np.log1p(-confidence)) - log_hazard(log_p), 0.0)


def extractable(
    log_p: Float[np.ndarray, "*n"], n_draws: float, confidence: float
) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Whether `n_draws` draws give the continuation at least once with probability `confidence` or more."""
    return log_draws(log_p, confidence) <= np.log(n_draws)
