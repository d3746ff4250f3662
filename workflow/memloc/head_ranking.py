"""Which attention heads does each localization method rank first, and do the methods agree (paper 6)?

The paper names one head that several methods point at. Here every method gives each query head one score,
larger meaning more involved in memorization, and the ranks are compared. Models with fewer key/value heads
than query heads share a key/value head's score among the query heads that read it.
"""

from collections.abc import Callable
from itertools import combinations

import numpy as np
import pandas as pd
from scipy import stats

from memloc.tables import COMBINED, METHODS

Scores = pd.Series  # indexed by layer and head


def spread_over_query_heads(scores: Scores, n_heads: int) -> Scores:
    """Scores by (layer, key/value head) as scores by (layer, query head); unchanged if there are as many."""
    table = scores.unstack("head")
    repeated = table.loc[:, np.repeat(table.columns, n_heads // table.shape[1])]
    repeated.columns = pd.RangeIndex(n_heads, name="head")
    return repeated.stack()


def strongest_component(scores: pd.Series, n_heads: int) -> Scores:
    """Largest score over the components of a head; `scores` is indexed by component, layer and head."""
    components = scores.index.get_level_values("component").unique()
    spread = [spread_over_query_heads(scores.xs(name, level="component"), n_heads) for name in components]
    return pd.concat(spread, axis=1).max(axis=1)


def parameter_gradient_scores(parameter_gradients: pd.DataFrame, group: str, n_heads: int) -> Scores:
    """Largest |gradient| of any weight of the head (paper 5.1; 5.2 for the contrastive group)."""
    rows = parameter_gradients[(parameter_gradients["group"] == group) & parameter_gradients["head"].notna()]
    return strongest_component(rows.set_index(["component", "layer", "head"])["max_abs"], n_heads)


def activation_gradient_scores(activation_gradients: pd.DataFrame, n_prefix: int, n_heads: int) -> Scores:
    """Mean value-activation gradient over memorized paragraphs and prefix positions (paper 6.1)."""
    rows = activation_gradients[
        (activation_gradients["group"] == "memorized")
        & (activation_gradients["component"] == "v")
        & (activation_gradients["position"] < n_prefix)
    ]
    return spread_over_query_heads(rows.groupby(["layer", "head"])["max_abs"].mean(), n_heads)


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
        "parameter_gradient": lambda: parameter_gradient_scores(gradients, "memorized", n_heads),
        "contrastive": lambda: parameter_gradient_scores(gradients, "contrastive", n_heads),
        "activation_gradient": lambda: activation_gradient_scores(
            tables["activation_gradients"], n_prefix, n_heads
        ),
        "rare_tokens": lambda: rare_token_scores(tables["rare_token_correlation"]),
        "patching": lambda: patching_scores(tables["patching"], n_heads),
    }
    return {method: compute[method]() for method in METHODS}


def rank_heads(scores: dict[str, Scores]) -> pd.DataFrame:
    """Rank of every head by every method, 1 = strongest, and by all of them together.

    The combined ranking orders heads by their mean rank; ties go to the lower layer and head.

    Returns:
        One row per method, layer and head: method, layer, head, score, rank.
    """
    frame = pd.DataFrame({method: values.astype(float) for method, values in scores.items()})
    frame.index.names = ["layer", "head"]
    frame = frame.sort_index()
    frame[COMBINED] = -frame.rank(ascending=False).mean(axis=1)
    long = frame.melt(ignore_index=False, var_name="method", value_name="score").reset_index()
    long["rank"] = long.groupby("method")["score"].rank(ascending=False, method="first").astype(int)
    return long[["method", "layer", "head", "score", "rank"]]


def agreement(ranking: pd.DataFrame) -> pd.DataFrame:
    """Kendall's tau-b of each pair of methods: method_a, method_b, kendall, p_value, n_heads."""
    scores = ranking.pivot(index=["layer", "head"], columns="method", values="score")
    methods = [method for method in (*METHODS, COMBINED) if method in scores]
    rows = []
    for first, second in combinations(methods, 2):
        result = stats.kendalltau(scores[first], scores[second])
        rows.append((first, second, result.statistic, result.pvalue, len(scores)))
    return pd.DataFrame(rows, columns=["method_a", "method_b", "kendall", "p_value", "n_heads"])
