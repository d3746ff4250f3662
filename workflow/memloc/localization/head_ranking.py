"""Which attention heads does each localization method rank first, and do the methods agree (paper 6)?

The paper names one head that several methods point at. Here every method gives each query head one score
(`head_scores.py`), and the ranks are compared. `sample_ranks` shows their dependence on the sampled
paragraphs.
"""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pandas as pd
import scipy  # loads scipy.stats, which takes half a second, where it is first used
from jaxtyping import Float, Int

from memloc.localization.head_scores import HeadScores, Sampled
from memloc.statistics.uncertainty import TAILS
from memloc.tables.terms.head_ranking import COMBINED

N_EXCHANGES = 999  # of heads within their layers


def sample_ranks(sampled: Sampled) -> pd.DataFrame:
    """Ranks of every head in every sample, as in `rank_heads`: sample, number, method, layer, head, rank."""
    flat = {name: scores.reshape(len(scores), -1) for name, scores in sampled.scores.items()}
    n_layers, n_heads = next(iter(sampled.scores.values())).shape[1:]
    ranked = [scipy.stats.rankdata(-values, axis=1) for values in flat.values()]
    flat[COMBINED] = -np.mean(ranked, axis=0)
    layer, head = (axis.ravel() for axis in np.indices((n_layers, n_heads), dtype=np.int16))
    frames = []
    for method, scores in flat.items():
        ranks = scipy.stats.rankdata(-scores, axis=1, method="min").astype(np.int16)
        frame = sampled.keys.loc[sampled.keys.index.repeat(len(layer))].reset_index(drop=True)
        frame["method"], frame["rank"] = method, ranks.ravel()
        frame["layer"], frame["head"] = np.tile(layer, len(scores)), np.tile(head, len(scores))
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)


def with_intervals(ranking: pd.DataFrame, ranks: pd.DataFrame) -> pd.DataFrame:
    """The table of `rank_heads` with columns low, high and first_share.

    A head's rank lies between low and high in 95 % of resamples, and is 1 in a share `first_share` of them.
    """
    keys = ["method", "layer", "head"]
    drawn = ranks[ranks["sample"] == "resample"].groupby(keys, observed=True)["rank"]
    columns = {
        "low": drawn.quantile(TAILS[0], interpolation="lower"),
        "high": drawn.quantile(TAILS[1], interpolation="higher"),
        "first_share": drawn.agg(lambda rank: (rank == 1).mean()),
    }
    return ranking.join(pd.DataFrame(columns), on=keys).astype({"low": int, "high": int})


def rank_heads(scores: dict[str, HeadScores]) -> pd.DataFrame:
    """Rank of every head by every method (1 = strongest), and by all together.

    The combined ranking orders heads by their mean rank. Heads with equal scores, as those that share keys
    and values often have, share the lowest of their ranks.

    Returns:
        One row per method, layer and head: method, layer, head, score, rank.
    """
    frame = pd.DataFrame({method: values.astype(float) for method, values in scores.items()})
    frame.index.names = ["layer", "head"]
    frame = frame.sort_index()
    frame[COMBINED] = -frame.rank(ascending=False).mean(axis=1)
    long = frame.melt(ignore_index=False, var_name="method", value_name="score").reset_index()
    long["rank"] = long.groupby("method")["score"].rank(ascending=False, method="min").astype(int)
    return long


def rank_agreement(ranking: pd.DataFrame, methods: Sequence[str]) -> dict[tuple[str, str], float]:
    """Kendall's tau of each pair of methods. Heads that share a rank neither agree nor disagree."""
    wide = ranking.pivot(index=["layer", "head"], columns="method", values="rank")
    orders = {method: _orders(wide[method].to_numpy()) for method in methods}
    return {(a, b): float((orders[a] * orders[b]).mean()) for a, b in combinations(methods, 2)}


def _orders(ranks: Int[np.ndarray, "head"]) -> Int[np.ndarray, "pair"]:
    """For each pair of heads, 1 if the first of them has the lower rank, -1 the higher, 0 the same."""
    earlier, later = np.triu_indices(len(ranks), k=1)
    return np.sign(ranks[later] - ranks[earlier]).astype(np.int8)


def exchanged_agreement(
    ranking: pd.DataFrame, methods: Sequence[str]
) -> dict[tuple[str, str], Float[np.ndarray, "exchange"]]:
    """Kendall's tau of each pair of methods when the heads of each ranking change places within their layers.

    Any remaining agreement comes from ranking the same layers first. The draws have a fixed seed.
    """
    wide = ranking.pivot(index=["layer", "head"], columns="method", values="rank").sort_index()
    layers = wide.index.get_level_values("layer")
    places = [np.flatnonzero(layers == layer) for layer in layers.unique()]
    rng, found = np.random.default_rng(0), {pair: [] for pair in combinations(methods, 2)}
    for _ in range(N_EXCHANGES):
        orders = {}
        for method in methods:
            order = np.concatenate([rng.permutation(heads) for heads in places])
            orders[method] = _orders(wide[method].to_numpy()[order])
        for (first, second), taus in found.items():
            taus.append((orders[first] * orders[second]).mean())
    return {pair: np.array(taus) for pair, taus in found.items()}
