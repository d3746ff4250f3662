"""One score of every attention head by each localization method, from tables (paper 5 and 6).

A larger score means that the head is more involved in memorization. Query heads that read the same key/value
head share its score. `sample_scores` gives the scores of resampled paragraphs, of parts of the sample, and of
all but one part.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float

from memloc.data.draws import draw, split
from memloc.localization.rare_tokens import pearson
from memloc.model.head_groups import stored_head
from memloc.tables.terms.head_ranking import PAPER_METHODS

HeadScores = pd.Series  # indexed by layer and head


def over_query_heads(scores: pd.Series, n_heads: int) -> HeadScores:
    """Scores of query heads from scores by layer and stored head: the largest score over the components."""
    wide = scores.to_frame().T.sort_index(axis=1)
    layers = wide.columns.unique("layer")
    index = pd.MultiIndex.from_product([layers, range(n_heads)], names=["layer", "head"])
    return pd.Series(_strongest(wide, n_heads).ravel(), index)


def parameter_gradient_scores(parameter_gradients: pd.DataFrame, n_heads: int) -> HeadScores:
    """Largest |gradient| of any weight of the head, mean over memorized paragraphs (paper 5.1)."""
    memorized = parameter_gradients["group"] == "memorized"
    rows = parameter_gradients[memorized & parameter_gradients["head"].notna()]
    return over_query_heads(rows.set_index(["component", "layer", "head"])["max_abs"], n_heads)


def activation_gradient_scores(activation_gradients: pd.DataFrame, n_prefix: int, n_heads: int) -> HeadScores:
    """Mean value-activation gradient over memorized paragraphs and prefix positions (paper 6.1)."""
    rows = _value_gradients(activation_gradients, n_prefix)
    return over_query_heads(rows.groupby(["layer", "head"])["max_abs"].mean(), n_heads)


def _value_gradients(activation_gradients: pd.DataFrame, n_prefix: int) -> pd.DataFrame:
    return activation_gradients.query("group == 'memorized' and component == 'v' and position < @n_prefix")


def rare_tokens_scores(rare_token_correlation: pd.DataFrame) -> HeadScores:
    """Minus the Pearson correlation of token rank and summed attention: rare tokens first (paper 6.3)."""
    return -rare_token_correlation.set_index(["layer", "head"])["pearson"]


def patching_scores(patching: pd.DataFrame, n_heads: int) -> HeadScores:
    """Mean |change in NLL| over pairs and directions, for the strongest of a head's q, k, v (paper A.3)."""
    sizes = patching.set_index(["component", "layer", "head"])["nll_change"].abs()
    return over_query_heads(sizes.groupby(level=[0, 1, 2]).mean(), n_heads)


def method_scores(tables: dict[str, pd.DataFrame], n_prefix: int, n_heads: int) -> dict[str, HeadScores]:
    """Scores by every method, from the tables of the analyses."""
    return {
        "parameter_gradient": parameter_gradient_scores(tables["parameter_gradients"], n_heads),
        "activation_gradient": activation_gradient_scores(tables["activation_gradients"], n_prefix, n_heads),
        "rare_tokens": rare_tokens_scores(tables["rare_token_correlation"]),
        "patching": patching_scores(tables["patching"], n_heads),
    }


class Sampled(NamedTuple):
    """Scores of every head by each method on the same samples; `keys` has a row per sample."""

    keys: pd.DataFrame
    scores: dict[str, Float[np.ndarray, "sample layer head"]]


def sample_scores(
    tables: dict[str, pd.DataFrame], n_prefix: int, n_heads: int, rng: np.random.Generator
) -> Sampled:
    """Scores by every method on parts of its sample, on all but one part, and on resampled paragraphs.

    Parameter gradients and attention to rare tokens resample parts of the sample, because their tables have
    sums over parts. The other methods resample paragraphs. Each method is resampled by itself.
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


def _paragraphs_by(rows: pd.DataFrame, keys: list[str], value: str) -> pd.DataFrame:
    """Mean of a value by paragraph (rows) and the keys (columns)."""
    return rows.groupby(["id", *keys], observed=True)[value].mean().unstack(keys).sort_index(axis=1)


def _sampled_parameter_gradients(
    samples: pd.DataFrame, n_heads: int
) -> tuple[pd.DataFrame, Float[np.ndarray, "sample layer head"]]:
    rows = samples[(samples["group"] == "memorized") & samples["head"].notna()]
    keys = rows[["sample", "number"]].drop_duplicates().reset_index(drop=True)
    wide = rows.pivot(index=[*keys], columns=["component", "layer", "head"], values="max_abs")
    return keys, _strongest(wide.loc[pd.MultiIndex.from_frame(keys)].sort_index(axis=1), n_heads)


def _strongest(scores: pd.DataFrame, n_heads: int) -> Float[np.ndarray, "sample layer head"]:
    """`over_query_heads` of several samples (rows); columns are sorted: (component,) layer, head."""
    parts, spread = [scores], []
    if "component" in scores.columns.names:
        names = scores.columns.unique("component")
        parts = [scores.xs(name, axis=1, level="component") for name in names]
    for part in parts:
        stored = part.to_numpy().reshape(len(part), part.columns.unique("layer").size, -1)
        spread.append(stored[:, :, stored_head(np.arange(n_heads), stored.shape[2], n_heads)])
    return np.fmax.reduce(spread)


def _minus_pearson(sums: pd.DataFrame) -> Float[np.ndarray, "sample layer head"]:
    """Minus the correlation of the attention summed by rank (columns layer, head, rank) with the rank."""
    shape = [sums.columns.unique(level).size for level in ("layer", "head", "rank")]
    by_rank = sums.to_numpy().reshape(len(sums), *shape)
    by_head = np.moveaxis(by_rank, -1, 0).reshape(shape[-1], -1)
    return -np.nan_to_num(pearson(by_head)).reshape(len(sums), *shape[:2])
