"""Correlations of many resampled series at once, a row each."""

import numpy as np
import pandas as pd
import scipy  # loads scipy.stats, which takes half a second, where it is first used
from jaxtyping import Float


def row_pearson(
    a: Float[np.ndarray, "row unit"], b: Float[np.ndarray, "row unit"]
) -> Float[np.ndarray, "row"]:
    """Pearson correlation of every row; 0 where a row's values are all the same."""
    varies = (np.ptp(a, axis=1) > 0) & (np.ptp(b, axis=1) > 0)
    a, b = (values - values.mean(axis=1, keepdims=True) for values in (a, b))
    lengths = np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1))
    return np.where(varies, (a * b).sum(axis=1) / np.where(varies, lengths, 1), 0.0).clip(-1, 1)


def row_spearman(
    a: Float[np.ndarray, "row unit"], b: Float[np.ndarray, "row unit"]
) -> Float[np.ndarray, "row"]:
    """Spearman correlation of every row; ties have their mean rank."""
    return row_pearson(*(pd.DataFrame(values).rank(axis=1).to_numpy() for values in (a, b)))


def row_kendall(
    a: Float[np.ndarray, "row unit"], b: Float[np.ndarray, "row unit"]
) -> Float[np.ndarray, "row"]:
    """Kendall's tau of every row; 0 where a row's values are all the same."""
    found = [scipy.stats.kendalltau(*row).statistic for row in zip(a, b, strict=True)]
    return np.nan_to_num(found)
