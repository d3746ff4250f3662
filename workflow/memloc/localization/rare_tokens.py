"""Do heads attend to a prefix's rarest tokens (paper 6.3, Figure 7)? Arrays only, no model.

Every paragraph has a token of rank 0, but few have one of a high rank. The attention summed over paragraphs
therefore falls with the rank for any head, even for one that attends evenly. The paper's measure is joined by
two remedies: the mean attention per occurrence of a rank, and a null distribution. In the null, the tokens of
each prefix exchange their attention at random, which breaks only the link between tokens and attention.
"""

import numpy as np
import pandas as pd
import scipy  # loads scipy.stats, which takes half a second, where it is first used
from jaxtyping import Float, Int
from numpy.typing import ArrayLike

QUANTILES = (0.025, 0.975)
N_PERMUTATIONS = 200  # draws of the null distribution
N_GROUPS = 40  # groups of paragraphs: enough to resample


def attention_array(
    frame: pd.DataFrame,
) -> tuple[Int[np.ndarray, "paragraph"], Float[np.ndarray, "paragraph layer head key"]]:
    """Table `attention` as an array: ids in ascending order, and their attention onto keys 0..n_prefix-1.

    Raises:
        ValueError: a row is missing.
    """
    axes = ["id", "layer", "head", "position"]
    frame = frame.sort_values(axes)
    shape = tuple(frame[axis].nunique() for axis in axes)
    return frame["id"].unique(), frame["attention"].to_numpy().reshape(shape)


def prefix_ranks(
    prefix: Int[np.ndarray, "paragraph position"], counts: Int[np.ndarray, "vocabulary"]
) -> Int[np.ndarray, "paragraph position"]:
    """Dense rank of each prefix token's count within its paragraph: 0 is the rarest, ties share a rank."""
    return scipy.stats.rankdata(counts[prefix], method="dense", axis=1).astype(np.int64) - 1


def rank_attention(
    attention: Float[np.ndarray, "paragraph layer head position"],
    ranks: Int[np.ndarray, "paragraph position"],
) -> pd.DataFrame:
    """Attention of each head by token rank: layer, head, rank, attention_sum, attention_mean, occurrences.

    attention_sum is summed over paragraphs (the paper's measure); attention_mean is the mean per occurrence.
    """
    found = rank_groups(attention, ranks, n_groups=1).drop(columns=["group", "attention_expected"])
    found.insert(4, "attention_mean", found["attention_sum"] / found["occurrences"])
    return found.sort_values(["layer", "head", "rank"], ignore_index=True)


def null_sums(
    attention: Float[np.ndarray, "paragraph layer head position"],
    ranks: Int[np.ndarray, "paragraph position"],
    n_permutations: int,
    random: np.random.Generator,
) -> Float[np.ndarray, "draw rank layer_head"]:
    """Attention summed by rank where the tokens of each prefix exchange their attention at random."""
    flat = _flat(attention)
    return np.stack([_sum_by(flat, random.permuted(ranks, axis=1)) for _ in range(n_permutations)])


def rank_null(
    null: Float[np.ndarray, "draw rank layer_head"], ranks: Int[np.ndarray, "paragraph position"]
) -> pd.DataFrame:
    """Quantiles of `attention_mean` over `null_sums`, in the rows of `rank_attention` and in their order.

    Columns are attention_mean_null_q025, ... A permutation does not change the occurrences, so these
    quantiles times the occurrences are the quantiles of the sum.
    """
    found = _quantiles("attention_mean", null / np.bincount(ranks.ravel())[:, None])
    return pd.DataFrame({name: values.T.ravel() for name, values in found.items()})


def rank_correlation(
    attention: Float[np.ndarray, "paragraph layer head position"],
    ranks: Int[np.ndarray, "paragraph position"],
    null: Float[np.ndarray, "draw rank layer_head"],
) -> pd.DataFrame:
    """Correlation of the rank with each head's attention by rank, one row per layer and head.

    Column pearson takes the summed attention (the paper's measure, Fig. 7), pearson_mean takes the mean per
    occurrence. Both have quantiles over `null_sums`, such as pearson_null_q025 (0.025).
    """
    columns = observed = _correlations(_sum_by(_flat(attention), ranks), ranks)
    draws = [_correlations(sums, ranks) for sums in null]
    for name in observed:
        columns = columns | _quantiles(name, [draw[name] for draw in draws])
    layer, head = (axis.ravel() for axis in np.indices(attention.shape[1:3]))
    return pd.DataFrame({"layer": layer, "head": head, **columns})


def rank_groups(
    attention: Float[np.ndarray, "paragraph layer head position"],
    ranks: Int[np.ndarray, "paragraph position"],
    n_groups: int = N_GROUPS,
) -> pd.DataFrame:
    """The sums of `rank_attention` in groups of paragraphs, which can be resampled.

    Paragraph i is in group i modulo `n_groups`. Columns: group, layer, head, rank, attention_sum,
    attention_expected (mean of the sum under the null), occurrences. Ranks that a group lacks have no row.
    """
    n_layers, n_heads = attention.shape[1:3]
    n_ranks = ranks.max() + 1
    cell = (np.arange(len(ranks)) % n_groups)[:, None] * n_ranks + ranks
    occurrences = np.bincount(cell.ravel())
    sums, expected = _sum_by(_flat(attention), cell), _sum_by(_expected(attention), cell)
    (cells,) = np.nonzero(occurrences)
    cell, column = (axis.ravel() for axis in np.meshgrid(cells, np.arange(sums.shape[1]), indexing="ij"))
    layer, head = np.unravel_index(column, (n_layers, n_heads))
    return pd.DataFrame(
        {
            "group": cell // n_ranks,
            "layer": layer,
            "head": head,
            "rank": cell % n_ranks,
            "attention_sum": sums[cell, column],
            "attention_expected": expected[cell, column],
            "occurrences": occurrences[cell],
        }
    )


def _quantiles(name: str, draws: ArrayLike) -> dict[str, Float[np.ndarray, "..."]]:
    """Quantiles over the first axis, by the name of their column."""
    values = np.quantile(draws, QUANTILES, axis=0)
    names = [f"{name}_null_q{1000 * quantile:03.0f}" for quantile in QUANTILES]
    return dict(zip(names, values, strict=True))


def _flat(
    attention: Float[np.ndarray, "paragraph layer head position"],
) -> Float[np.ndarray, "occurrence layer_head"]:
    """One row per prefix token, in double precision: thousands of small numbers are summed."""
    n_paragraphs, n_layers, n_heads, n_positions = attention.shape
    by_token = attention.transpose(0, 3, 1, 2).astype(np.float64)
    return by_token.reshape(n_paragraphs * n_positions, n_layers * n_heads)


def _expected(
    attention: Float[np.ndarray, "paragraph layer head position"],
) -> Float[np.ndarray, "occurrence layer_head"]:
    """As `_flat`, with the mean attention over the prefix for every token: the mean under the null."""
    means = attention.mean(axis=3, dtype=np.float64).reshape(len(attention), -1)
    return np.repeat(means, attention.shape[3], axis=0)


def _sum_by(
    flat: Float[np.ndarray, "occurrence layer_head"], label: Int[np.ndarray, "paragraph position"]
) -> Float[np.ndarray, "label layer_head"]:
    """Sums over the occurrences with the same label: a rank, or another number from 0."""
    ones, one_per_column = np.ones(label.size), np.arange(label.size + 1)
    shape = label.max() + 1, label.size
    return scipy.sparse.csc_array((ones, label.ravel(), one_per_column), shape=shape) @ flat


def _correlations(
    sums: Float[np.ndarray, "rank layer_head"], ranks: Int[np.ndarray, "paragraph position"]
) -> dict[str, Float[np.ndarray, "layer_head"]]:
    means = sums / np.bincount(ranks.ravel())[:, None]
    return {"pearson": pearson(sums), "pearson_mean": pearson(means)}


def pearson(values: Float[np.ndarray, "rank column"]) -> Float[np.ndarray, "column"]:
    """Pearson correlation of each column with its row number; NaN for a constant column."""
    rank = np.arange(len(values)) - (len(values) - 1) / 2
    constant = values.min(axis=0) == values.max(axis=0)
    centred = np.where(constant, 0.0, values - values.mean(axis=0))  # a mean of equal numbers may be rounded
    with np.errstate(invalid="ignore"):
        return rank @ centred / (np.linalg.norm(rank) * np.linalg.norm(centred, axis=0))
