"""Estimators of the topic `rare_tokens`: does a head attend to the rarest tokens of a prefix (paper 6.3)?

Attention by rank is resampled by group of paragraphs (table rare_token_groups).
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float

from memloc.claims.verdicts import Estimate
from memloc.localization.highlight import head_of_other_methods
from memloc.settings.base import Section
from memloc.statistics.uncertainty import Interval, bootstrap

Tables = dict[str, pd.DataFrame]


class _Sums(NamedTuple):
    """Of some heads, in each group: attention and evenly exchanged attention, and both times the rank."""

    heads: list[tuple[int, int]]
    observed: Float[np.ndarray, "2 group head"]
    expected: Float[np.ndarray, "2 group head"]  # if the tokens of a prefix exchange their attention

    def preference(self, groups: np.ndarray) -> Float[np.ndarray, "head"]:
        """How much smaller the mean rank of what is attended to is than expected.

        A ratio of sums over all occurrences. A correlation over ranks would have the noise of the few high
        ranks in its denominator, and its interval over groups would be too narrow around zero.
        """
        (ranked, all_of), (even, even_all) = (
            sums[:, groups].sum(axis=1) for sums in (self.observed, self.expected)
        )
        return even / even_all - ranked / all_of


def strength(tables: Tables, settings: Section, chosen: str) -> Estimate:
    """How strongly a head attends to rare tokens: 0 without preference.

    `searched`: the head that prefers them most on the groups of even number, judged on the others.
    `localized`: the head that the other methods point at, on all groups. Some of these paragraphs chose it,
    but by sizes of gradients and patches. A measure of attention by rank is the same whatever its size.
    """
    groups, head = (
        tables["rare_token_groups"],
        head_of_other_methods(tables["head_ranking"], settings, "rare_tokens"),
    )
    if chosen == "searched":
        even = groups["group"] % 2 == 0
        choosing, groups = _sums(groups[even]), groups[~even]
        if groups.empty:
            return Estimate(missing="a single group of paragraphs")
        every = np.arange(choosing.observed.shape[1])
        head = choosing.heads[int(choosing.preference(every).argmax())]
    found = _sums(groups)
    return Estimate.of(_interval(found, lambda values: values[found.heads.index(head)]))


def lead_in_layer(tables: Tables, settings: Section) -> Estimate:
    """How much more the head that the other methods point at prefers rare tokens than its closest rival.

    It must lead each other head of its layer: the interval is the one that begins lowest.
    """
    layer, head = head_of_other_methods(tables["head_ranking"], settings, "rare_tokens")
    groups = tables["rare_token_groups"]
    found = _sums(groups[groups["layer"] == layer])
    own, rivals = found.heads.index((layer, head)), [one for one in found.heads if one[1] != head]
    if not rivals:
        return Estimate(missing="the layer has a single head")
    places = [found.heads.index(rival) for rival in rivals]
    ahead = [_interval(found, lambda values, other=other: values[own] - values[other]) for other in places]
    return Estimate.of(min(ahead, key=lambda interval: (interval.low, interval.value)))


def _interval(found: _Sums, of: Callable[[np.ndarray], float]) -> Interval:
    return bootstrap(found.observed.shape[1], lambda groups: float(of(found.preference(groups))))


def _sums(groups: pd.DataFrame) -> _Sums:
    names = {"attention_sum": "observed", "attention_expected": "expected"}
    ranked = groups.assign(**{f"ranked_{name}": groups[name] * groups["rank"] for name in names})
    wide = ranked.groupby(["group", "layer", "head"])[[c for n in names for c in (f"ranked_{n}", n)]].sum()
    wide = wide.unstack(["layer", "head"]).sort_index(axis=1)
    arrays = [np.stack([wide[f"ranked_{name}"], wide[name]]) for name in names]
    return _Sums(list(wide["attention_sum"].columns), *arrays)
