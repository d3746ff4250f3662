"""Estimators of the topic `rare_tokens`: does a head attend to the rarest tokens of a prefix (paper 6.3)?

Attention by rank is resampled by group of paragraphs (table rare_token_groups). A head that these numbers
choose is chosen on the groups of even number and judged on the others.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float

from memloc.claims.verdicts import Estimate
from memloc.localization.highlight import head_of_other_methods
from memloc.localization.rare_tokens import pearson
from memloc.settings.base import Section
from memloc.statistics.uncertainty import bootstrap

Tables = dict[str, pd.DataFrame]
Sums = Float[np.ndarray, "rank head"]


class _Layer(NamedTuple):
    """Attention of the heads of a layer by rank, and the head that is judged (its place in the layer)."""

    observed: Float[np.ndarray, "group rank head"]
    expected: Float[np.ndarray, "group rank head"]  # if the tokens of a prefix exchange their attention
    head: int

    def sums(self, groups: np.ndarray) -> tuple[Sums, Sums]:
        """Observed and expected attention of the groups together."""
        return self.observed[groups].sum(axis=0), self.expected[groups].sum(axis=0)


def unique_tokens(tables: Tables, settings: Section) -> Estimate:
    """Different tokens in all memorized and non-memorized paragraphs."""
    first = tables["rare_token_correlation"].iloc[0]
    return Estimate(int(first["n_unique_tokens"]), n=int(first["n_unique_tokens"]))


def correlation(tables: Tables, settings: Section, layer: int, head: int) -> Estimate:
    """Correlation of one head's summed attention with the rank."""
    found = _layer(tables["rare_token_groups"], (layer, head))
    return _over_groups(found, lambda groups: -_by_sum(*found.sums(groups))[found.head])


def strength(tables: Tables, settings: Section, chosen: str, measure: str) -> Estimate:
    """How strongly the chosen head attends to rare tokens, by a measure that is 0 without preference."""
    if _none_to_judge(tables, chosen):
        return Estimate(missing="a single group of paragraphs")
    found = _chosen(tables, settings, chosen, measure)
    return _over_groups(found, lambda groups: MEASURES[measure](*found.sums(groups))[found.head])


def lead(tables: Tables, settings: Section, chosen: str, measure: str) -> Estimate:
    """How much stronger that is for the chosen head than for every other head of its layer."""
    if _none_to_judge(tables, chosen):
        return Estimate(missing="a single group of paragraphs")
    found = _chosen(tables, settings, chosen, measure)
    if found.observed.shape[-1] == 1:
        return Estimate(missing="the layer has a single head")

    def value(groups: np.ndarray) -> float:
        strengths = MEASURES[measure](*found.sums(groups))
        return strengths[found.head] - np.delete(strengths, found.head).max()

    return _over_groups(found, value)


def below_null(tables: Tables, settings: Section, measure: str) -> Estimate:
    """How far the correlation of the localized head is below those under random permutations.

    The interval is that of 95 % of the permutations: it is above zero if fewer than 2.5 % of them give as
    low a correlation. `measure`: pearson (of the sum) or pearson_mean (of the mean per occurrence).
    """
    heads = tables["rare_token_correlation"].set_index(["layer", "head"])
    row = heads.loc[head_of_other_methods(tables["head_ranking"], settings, "rare_tokens")]
    low, value, high = (row[f"{measure}_null_q{q}"] - row[measure] for q in ("025", "500", "975"))
    return Estimate(value, low, high, n=int(row["n_paragraphs"]))


def _by_sum(observed: Sums, expected: Sums) -> Float[np.ndarray, "head"]:
    """Minus the correlation of the rank and the summed attention, which is the paper's measure."""
    return -np.nan_to_num(pearson(observed))


def _by_mean_rank(observed: Sums, expected: Sums) -> Float[np.ndarray, "head"]:
    """How much smaller the mean rank of what is attended to is than expected.

    This is a ratio of sums over all occurrences. A correlation over ranks would have the noise of the few
    high ranks in its denominator, and its interval over groups would be too narrow around zero.
    """
    rank = np.arange(len(observed))
    return rank @ expected / expected.sum(axis=0) - rank @ observed / observed.sum(axis=0)


MEASURES = {"sum": _by_sum, "mean rank": _by_mean_rank}


def _over_groups(found: _Layer, value: Callable[[np.ndarray], float]) -> Estimate:
    return Estimate.of(bootstrap(len(found.observed), value))


def _none_to_judge(tables: Tables, chosen: str) -> bool:
    return chosen == "searched" and tables["rare_token_groups"]["group"].nunique() < 2


def _chosen(tables: Tables, settings: Section, chosen: str, measure: str) -> _Layer:
    """`searched`: the most negative head of all, with the half that judges it; `localized`: the head that
    the other methods point at, with all groups."""
    groups = tables["rare_token_groups"]
    if chosen == "localized":
        # Some of these paragraphs chose it, but by sizes of gradients and patches. A measure of attention by
        # rank is the same whatever its size, so the choice does not enlarge it.
        return _layer(groups, head_of_other_methods(tables["head_ranking"], settings, "rare_tokens"))
    even = groups["group"] % 2 == 0
    return _layer(groups[~even], _most_negative(groups[even], measure))


def _most_negative(groups: pd.DataFrame, measure: str) -> tuple[int, int]:
    heads = sorted(set(zip(groups["layer"], groups["head"], strict=True)))
    sums = (values.sum(axis=0) for values in _arrays(groups))
    return heads[int(np.argmax(MEASURES[measure](*sums)))]


def _layer(groups: pd.DataFrame, head: tuple[int, int]) -> _Layer:
    """The layer of a (layer, head)."""
    layer = groups[groups["layer"] == head[0]]
    return _Layer(*_arrays(layer), head=sorted(layer["head"].unique()).index(head[1]))


def _arrays(groups: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Observed and expected sums [group, rank, head], heads by layer; 0 for a rank not in a group."""
    cells = pd.MultiIndex.from_product([groups["group"].unique(), np.arange(groups["rank"].max() + 1)])
    wide = groups.pivot(index=["group", "rank"], columns=["layer", "head"]).reindex(cells).fillna(0)
    names = ("attention_sum", "attention_expected")
    return tuple(
        wide[name].to_numpy().reshape(groups["group"].nunique(), -1, wide[name].shape[1]) for name in names
    )
