"""Which attention heads does each localization method rank first, and do the methods agree (paper 6)?

The paper names one head that several methods point at. Here every method gives each query head one score,
larger meaning more involved in memorization, and the ranks are compared. Models with fewer key/value heads
than query heads share a key/value head's score among the query heads that read it.

`sample_ranks` shows how far the ranks depend on the sampled paragraphs: it ranks heads on resampled
paragraphs, on parts of the sample, and on all but one part.
"""

from collections.abc import Callable, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
import pandas as pd
import scipy  # loads scipy.stats, which takes half a second, where it is first used
from jaxtyping import Float, Int

from memloc.data.draws import draw, split
from memloc.localization.rare_tokens import pearson
from memloc.model.head_groups import stored_heads
from memloc.run.errors import InputError
from memloc.settings.plant_kinds import HEAD_KINDS
from memloc.statistics.uncertainty import CONFIDENCE, resampled
from memloc.tables.terms.head_ranking import COMBINED, PAPER_METHODS

N_EXCHANGES = 999  # of heads within their layers
Scores = pd.Series  # indexed by layer and head
Weights = pd.Series  # indexed by method
# The methods of planted truth that do the same as these on one paragraph.
PLANTED_AS = {
    "parameter_gradient": "gradient_largest",
    "activation_gradient": "activation_gradient",
    "rare_tokens": "rare_tokens",
    "patching": "patching",
}


def spread_over_query_heads(scores: Scores, n_heads: int) -> Scores:
    """Scores by (layer, key/value head) as scores by (layer, query head); unchanged if there are as many."""
    table = scores.unstack("head")
    repeated = table.iloc[:, stored_heads(table.shape[1], n_heads)]
    repeated.columns = pd.RangeIndex(n_heads, name="head")
    return repeated.stack()


def strongest_component(scores: pd.Series, n_heads: int) -> Scores:
    """Largest score over the components of a head; `scores` is indexed by component, layer and head."""
    components = scores.index.get_level_values("component").unique()
    spread = [spread_over_query_heads(scores.xs(name, level="component"), n_heads) for name in components]
    return pd.concat(spread, axis=1).max(axis=1)


def parameter_gradient_scores(parameter_gradients: pd.DataFrame, n_heads: int) -> Scores:
    """Largest |gradient| of any weight of the head, mean over memorized paragraphs (paper 5.1)."""
    memorized = parameter_gradients["group"] == "memorized"
    rows = parameter_gradients[memorized & parameter_gradients["head"].notna()]
    return strongest_component(rows.set_index(["component", "layer", "head"])["max_abs"], n_heads)


def activation_gradient_scores(activation_gradients: pd.DataFrame, n_prefix: int, n_heads: int) -> Scores:
    """Mean value-activation gradient over memorized paragraphs and prefix positions (paper 6.1)."""
    rows = _value_gradients(activation_gradients, n_prefix)
    return spread_over_query_heads(rows.groupby(["layer", "head"])["max_abs"].mean(), n_heads)


def _value_gradients(activation_gradients: pd.DataFrame, n_prefix: int) -> pd.DataFrame:
    return activation_gradients[
        (activation_gradients["group"] == "memorized")
        & (activation_gradients["component"] == "v")
        & (activation_gradients["position"] < n_prefix)
    ]


def rare_token_scores(rare_token_correlation: pd.DataFrame) -> Scores:
    """Minus the Pearson correlation of token rank and summed attention: rare tokens first (paper 6.3)."""
    return -rare_token_correlation.set_index(["layer", "head"])["pearson"]


def patching_scores(patching: pd.DataFrame, n_heads: int) -> Scores:
    """Mean |change in NLL| over pairs and directions, of the head's strongest of q, k and v (paper A.3)."""
    size = (
        patching["nll_change"].abs().groupby([patching[key] for key in ("component", "layer", "head")]).mean()
    )
    return strongest_component(size, n_heads)


def method_scores(tables: dict[str, pd.DataFrame], n_prefix: int, n_heads: int) -> dict[str, Scores]:
    """Scores of every method from the tables of the analyses."""
    gradients = tables["parameter_gradients"]
    compute: dict[str, Callable[[], Scores]] = {
        "parameter_gradient": lambda: parameter_gradient_scores(gradients, n_heads),
        "activation_gradient": lambda: activation_gradient_scores(
            tables["activation_gradients"], n_prefix, n_heads
        ),
        "rare_tokens": lambda: rare_token_scores(tables["rare_token_correlation"]),
        "patching": lambda: patching_scores(tables["patching"], n_heads),
    }
    return {method: compute[method]() for method in PAPER_METHODS}


class Sampled(NamedTuple):
    """Scores of every head by each method, on the same kinds of samples: `keys` has a row per sample."""

    keys: pd.DataFrame
    scores: dict[str, Float[np.ndarray, "sample layer head"]]


def sample_scores(
    tables: dict[str, pd.DataFrame], n_prefix: int, n_heads: int, rng: np.random.Generator
) -> Sampled:
    """Scores of every method on parts of its sample, on all but one part, and on resampled paragraphs.

    Parameter gradients and attention to rare tokens resample parts of the sample, whose sums are in their
    tables; the others resample paragraphs. Each method is resampled by itself.
    """
    keys, gradients = _sampled_parameter_gradients(tables["parameter_gradient_samples"], n_heads)
    values = _value_gradients(tables["activation_gradients"], n_prefix)
    changes = tables["patching"].assign(size=tables["patching"]["nll_change"].abs())
    rare = tables["rare_token_groups"]
    by_method = {
        "activation_gradient": _paragraphs_by(values, ["layer", "head"], "max_abs"),
        "rare_tokens": rare.pivot_table("attention_sum", "group", ["layer", "head", "rank"], fill_value=0),
        "patching": _paragraphs_by(changes, ["component", "layer", "head"], "size"),
    }
    n_parts = min(int((keys["sample"] == "part").sum()), *(len(units) for units in by_method.values()))
    found = {}
    for method, units in by_method.items():
        draws = draw([1] * len(units), split(len(units), rng, n_parts), rng)
        means = pd.DataFrame(draws.weights @ units.to_numpy(), columns=units.columns)
        found[method] = _minus_pearson(means) if method == "rare_tokens" else _strongest(means, n_heads)
    shared = pd.MultiIndex.from_frame(keys).isin(pd.MultiIndex.from_frame(draws.keys))
    found["parameter_gradient"] = gradients[shared]
    return Sampled(draws.keys, {method: found[method] for method in PAPER_METHODS})


def sample_ranks(sampled: Sampled, weights: Weights | None = None) -> pd.DataFrame:
    """Ranks of every head in every sample, as in `rank_heads`: sample, number, method, layer, head, rank."""
    weights = pd.Series(1.0, list(sampled.scores)) if weights is None else weights
    flat = {name: scores.reshape(len(scores), -1) for name, scores in sampled.scores.items()}
    n_layers, n_heads = next(iter(sampled.scores.values())).shape[1:]
    ranked = [scipy.stats.rankdata(-scores, axis=1) for scores in flat.values()]
    flat[COMBINED] = -np.average(ranked, axis=0, weights=weights[list(flat)])
    layer, head = (axis.ravel() for axis in np.indices((n_layers, n_heads), dtype=np.int16))
    frames = []
    for method, scores in flat.items():
        order = np.argsort(-scores, axis=1, kind="stable")
        ranks = np.empty_like(order, dtype=np.int16)
        np.put_along_axis(ranks, order, np.arange(1, len(layer) + 1, dtype=np.int16)[None], axis=1)
        frame = sampled.keys.loc[sampled.keys.index.repeat(len(layer))].reset_index(drop=True)
        frame["method"], frame["rank"] = method, ranks.ravel()
        frame["layer"], frame["head"] = np.tile(layer, len(scores)), np.tile(head, len(scores))
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)


def with_intervals(ranking: pd.DataFrame, ranks: pd.DataFrame) -> pd.DataFrame:
    """`rank_heads` with low and high, which hold a head's rank in 95 % of resamples, and first_share, the
    share of them in which it is first."""
    keys = ["method", "layer", "head"]
    drawn = ranks[ranks["sample"] == "resample"].groupby(keys, observed=True)["rank"]
    tails = [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2]
    columns = {
        "low": drawn.quantile(tails[0], interpolation="lower"),
        "high": drawn.quantile(tails[1], interpolation="higher"),
        "first_share": drawn.agg(lambda rank: (rank == 1).mean()),
    }
    found = ranking.join(pd.DataFrame(columns), on=keys)
    return found.astype({"low": int, "high": int})


def _paragraphs_by(rows: pd.DataFrame, keys: list[str], value: str) -> pd.DataFrame:
    """Mean of a value by paragraph (rows) and the keys (columns)."""
    return rows.groupby(["id", *keys], observed=True)[value].mean().unstack(keys).sort_index(axis=1)


def _sampled_parameter_gradients(
    samples: pd.DataFrame, n_heads: int
) -> tuple[pd.DataFrame, Float[np.ndarray, "sample layer head"]]:
    rows = samples[(samples["group"] == "memorized") & samples["head"].notna()]
    keys = rows[["sample", "number"]].drop_duplicates().reset_index(drop=True)
    wide = rows.pivot(
        index=["sample", "number"], columns=["component", "layer", "head"], values="max_abs"
    ).loc[pd.MultiIndex.from_frame(keys)]
    return keys, _strongest(wide.sort_index(axis=1), n_heads)


def _strongest(scores: pd.DataFrame, n_heads: int) -> Float[np.ndarray, "sample layer head"]:
    """Scores by (component,) layer and stored head (sorted columns) as the strongest of each query head."""
    components = ["all"]
    if "component" in scores.columns.names:
        components = scores.columns.unique("component")
    spread = []
    for name in components:
        one = scores if name == "all" else scores.xs(name, axis=1, level="component")
        stored = one.to_numpy().reshape(len(one), one.columns.unique("layer").size, -1)
        spread.append(stored[:, :, stored_heads(stored.shape[2], n_heads)])
    return np.max(spread, axis=0)


def _minus_pearson(sums: pd.DataFrame) -> Float[np.ndarray, "sample layer head"]:
    """Minus the correlation of the attention summed by rank (columns layer, head, rank) with the rank."""
    shape = [sums.columns.unique(level).size for level in ("layer", "head", "rank")]
    by_rank = sums.to_numpy().reshape(len(sums), *shape)
    by_head = np.moveaxis(by_rank, -1, 0).reshape(shape[-1], -1)
    return -np.nan_to_num(pearson(by_head)).reshape(len(sums), *shape[:2])


def method_weights(planted_truth: pd.DataFrame | None) -> Weights:
    """How much each method counts in the combined ranking: equally, or by what it finds of planted heads.

    That is its mean average precision over planted heads above that of random scores, and at least zero.

    Raises:
        InputError: no method is above.
    """
    if planted_truth is None:
        return pd.Series(1.0, PAPER_METHODS)
    asked = planted_truth["control"].eq("plant") & planted_truth["criterion"]
    heads = planted_truth[asked & planted_truth["granularity"].eq("head")]
    heads = heads[heads["kind"].isin(HEAD_KINDS)]
    found = heads.groupby("method")["average_precision"].mean()
    above = (
        found.reindex([PLANTED_AS[method] for method in PAPER_METHODS]).set_axis(PAPER_METHODS)
        - found["random"]
    )
    if not (above > 0).any():
        raise InputError(
            "no method finds planted heads better than random scores: set head_ranking.weighted to false"
        )
    return above.clip(lower=0).fillna(0)  # no paragraph may have a perturbed version to patch


def rank_heads(scores: dict[str, Scores], weights: Weights | None = None) -> pd.DataFrame:
    """Rank of every head by every method, 1 = strongest, and by all of them together.

    The combined ranking orders heads by their mean rank, in which methods count by their `weights` (equally
    without any); ties go to the lower layer and head.

    Returns:
        One row per method, layer and head: method, layer, head, score, rank, weight (missing for the
        combined ranking).
    """
    weights = pd.Series(1.0, list(scores)) if weights is None else weights
    frame = pd.DataFrame({method: values.astype(float) for method, values in scores.items()})
    frame.index.names = ["layer", "head"]
    frame = frame.sort_index()
    frame[COMBINED] = -frame.rank(ascending=False).mul(weights).sum(axis=1) / weights.sum()
    long = frame.melt(ignore_index=False, var_name="method", value_name="score").reset_index()
    long["rank"] = long.groupby("method")["score"].rank(ascending=False, method="first").astype(int)
    return long.assign(weight=long["method"].map(weights))


def rank_agreement(
    ranks: pd.DataFrame, methods: Sequence[str]
) -> dict[tuple[str, str], dict[str, Float[np.ndarray, "sample"]]]:
    """Kendall's tau of each pair of methods in every sample, by the kind of sample.

    `ranks` is a table of `sample_ranks`, in which no two heads share a rank.
    """
    found = {pair: {} for pair in combinations(methods, 2)}
    for kind, rows in ranks.groupby("sample", observed=True):
        wide = rows.pivot(index=["number", "layer", "head"], columns="method", values="rank")
        n = rows["number"].nunique()
        order = {method: _orders(wide[method].to_numpy().reshape(n, -1)) for method in methods}
        for first, second in found:
            found[first, second][kind] = (order[first] * order[second]).mean(axis=1)
    return found


def _orders(ranks: Int[np.ndarray, "sample head"]) -> Int[np.ndarray, "sample pair"]:
    """For each pair of heads, which of them comes first."""
    earlier, later = np.triu_indices(ranks.shape[1], k=1)
    return np.sign(ranks[:, later] - ranks[:, earlier]).astype(np.int8)


def exchanged_agreement(
    ranking: pd.DataFrame, methods: Sequence[str]
) -> dict[tuple[str, str], Float[np.ndarray, "exchange"]]:
    """Kendall's tau of each pair of methods when each one's heads change places within their layers.

    Any agreement that is left comes from ranking the same layers first. The draws have a fixed seed.
    """
    wide = ranking.pivot(index=["layer", "head"], columns="method", values="rank").sort_index()
    layers = wide.index.get_level_values("layer")
    places = [np.flatnonzero(layers == layer) for layer in layers.unique()]
    rng, found = np.random.default_rng(0), {pair: [] for pair in combinations(methods, 2)}
    for _ in range(N_EXCHANGES):
        orders = {}
        for method in methods:
            order = np.concatenate([rng.permutation(heads) for heads in places])
            orders[method] = _orders(wide[method].to_numpy()[order][None])
        for (first, second), taus in found.items():
            taus.append((orders[first] * orders[second]).mean())
    return {pair: np.array(taus) for pair, taus in found.items()}


def agreement(ranking: pd.DataFrame, ranks: pd.DataFrame) -> pd.DataFrame:
    """Agreement of each pair of methods over all heads.

    Columns method_a, method_b, kendall (tau-b of their scores) with low and high from resampled paragraphs,
    p_value (as if heads were independent of each other) and n_heads.
    """
    scores = ranking.pivot(index=["layer", "head"], columns="method", values="score")
    methods = [method for method in (*PAPER_METHODS, COMBINED) if method in scores]
    rows = []
    for (first, second), taus in rank_agreement(ranks, methods).items():
        result = scipy.stats.kendalltau(scores[first], scores[second])
        low, high = resampled(result.statistic, taus["resample"], taus["rest"])[1:3]
        rows.append((first, second, result.statistic, low, high, result.pvalue, len(scores)))
    columns = ["method_a", "method_b", "kendall", "low", "high", "p_value", "n_heads"]
    return pd.DataFrame(rows, columns=columns)
