"""What a near-copy is worth: recitation against exact and near-copies (mosaic memory, 2405.15523).

A paragraph with e exact copies and n_k near-copies of each kind k is recited with chance
logistic(a + b log(e + sum of w_k n_k)). So a near-copy counts as w_k exact ones. All are fitted together, by
maximum likelihood, with w_k >= 0. The text was not made for this: what has near-copies may be easy. Only
copies that a study writes itself (setting `data.replaced`) show a cause.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import scipy
from jaxtyping import Float, Int

from memloc.statistics.uncertainty import MIN_N, TAILS, resamples
from memloc.tables.terms.near_copies import NESTED

N_RESAMPLES = 400
ENOUGH = 20  # paragraphs that have near-copies of a kind, some of them recited and some not


def by_kind(copies: pd.DataFrame) -> pd.DataFrame:
    """Near-copies of each kind: of each distance of table `near_copies`, what the smaller one leaves."""
    known = [name for name in NESTED if copies[name].notna().all()]
    return copies[known].astype("int64").diff(axis=1)[known[1:]].astype("int64")


def worth(copies: pd.DataFrame, recited: pd.Series, group: pd.Series) -> tuple[pd.Series, pd.DataFrame]:
    """Chances by the fit to paragraphs that the training text holds, and the worth of each kind of near-copy,
    with percentiles over groups, such as files.

    A kind has no worth, and does not count, if fewer than `ENOUGH` paragraphs or fewer than six groups have
    any, or all or none of these are recited. Nothing is fitted if all or no paragraphs are recited.

    Args:
        copies: rows of table `near_copies`.
        recited: of each row, whether the model recites it.
        group: of each row, what is resampled together.
    """
    rows = (copies["within_0"] > 0).to_numpy()
    counts, outcome, group = by_kind(copies)[rows], recited[rows], group[rows]
    some = {name: counts[name] > 0 for name in counts}
    numbers = [(own.sum(), group[own].nunique()) for own in some.values()]
    found = pd.DataFrame(numbers, pd.Index(some, name="copies"), ["n_paragraphs", "n_groups"])
    found[["worth", "low", "high"]] = np.nan
    differ = np.array([outcome[own].nunique() == 2 for own in some.values()])
    fitted = found.index[(found["n_paragraphs"] >= ENOUGH) & (found["n_groups"] >= MIN_N) & differ]
    expected = pd.Series(np.nan, copies.index, name="expected")
    if outcome.nunique() == 2:
        exact, near = copies["within_0"][rows].to_numpy(float), counts[fitted].to_numpy(float)
        values = _resampled(exact, near, outcome.to_numpy(float), pd.factorize(group)[0])
        start, slope, *worths = values[0]
        expected[rows] = scipy.special.expit(start + slope * np.log(exact + near @ worths))
        ends = np.quantile(values[1:, 2:], TAILS, axis=0)
        found.loc[fitted, ["worth", "low", "high"]] = np.column_stack([worths, *ends])
    return expected, found.reset_index()


def _resampled(
    exact: Float[np.ndarray, "row"],
    near: Float[np.ndarray, "row kind"],
    recited: Float[np.ndarray, "row"],
    group: Int[np.ndarray, "row"],
) -> Float[np.ndarray, "resample parameter"]:
    """Intercept, slope and worths of all rows, then of resamples of groups (fixed seed)."""
    (times,) = resamples(N_RESAMPLES, int(group.max()) + 1)
    first = np.array([-3.0, 1.0] + [0.5] * near.shape[1])
    whole = fit(exact, near, recited, np.ones(len(group)), first)
    return np.array([whole, *(fit(exact, near, recited, weights, whole) for weights in times[:, group])])


def fit(
    exact: Float[np.ndarray, "row"],
    near: Float[np.ndarray, "row kind"],
    recited: Float[np.ndarray, "row"],
    weights: Float[np.ndarray, "row"],
    first: Sequence[float],
) -> Float[np.ndarray, "parameter"]:
    """Intercept, slope and worths of the largest likelihood, from the values `first` on."""

    def loss(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        (start, slope), worths = parameters[:2], parameters[2:]
        amount = exact + near @ worths
        logit = start + slope * np.log(amount)
        away = weights * (scipy.special.expit(logit) - recited)
        by_worth = slope * (away / amount) @ near
        value = weights @ (np.logaddexp(0, logit) - recited * logit)
        return value, np.array([away.sum(), away @ np.log(amount), *by_worth])

    bounds = [(None, None), (None, None)] + [(0, None)] * near.shape[1]
    return scipy.optimize.minimize(loss, first, jac=True, method="L-BFGS-B", bounds=bounds).x
