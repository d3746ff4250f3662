"""Intervals of statistics of rows that come in clusters: whole clusters are resampled."""

import numpy as np
from jaxtyping import Float, Int

from memloc.statistics.uncertainty import MIN_N, Interval, resampled

N_RESAMPLES = 400
SEED = 0


def cluster_weights(
    cluster: Int[np.ndarray, "row"], n_resamples: int = N_RESAMPLES
) -> Float[np.ndarray, "resample row"]:
    """How often each row counts: once, then in resamples of the clusters, then without each cluster."""
    number = np.unique(cluster, return_inverse=True)[1]
    n = number.max() + 1
    drawn = np.random.default_rng(SEED).multinomial(n, np.full(n, 1 / n), size=n_resamples)
    times = np.concatenate([np.ones((1, n)), drawn, 1 - np.eye(n)])
    return times[:, number]


def cluster_interval(values: Float[np.ndarray, "resample"], n_clusters: int) -> Interval:
    """Interval of a statistic whose values under each row of `cluster_weights` are given (see `resampled`).

    Resamples in which the statistic is not defined, such as those without a positive, are left out. Of fewer
    than six clusters it is infinite.
    """
    value, drawn, left_out = float(values[0]), values[1:-n_clusters], values[-n_clusters:]
    drawn, left_out = drawn[np.isfinite(drawn)], left_out[np.isfinite(left_out)]
    if n_clusters < MIN_N or len(drawn) < 2:
        return Interval(value, -np.inf, np.inf, n_clusters)
    return resampled(value, drawn, left_out)._replace(n=n_clusters)
