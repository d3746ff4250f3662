"""Estimators of the topic `patching`: heads whose activations carry the perturbation (paper A.3).

An effect is the mean |change in NLL| of both directions, in nats, by pair and site: q, k or v of a head.
Query heads that share a key/value head count as one with it. Sites are found on half of the pairs and judged
on the others.
"""

import numpy as np
import pandas as pd

from memloc.claims.verdicts import Estimate
from memloc.localization.highlight import head_of_other_methods
from memloc.model.head_groups import stored_head
from memloc.settings.base import Section
from memloc.statistics import uncertainty

Tables = dict[str, pd.DataFrame]


def head_lead(
    tables: Tables, settings: Section, layer: int | None = None, head: int | None = None
) -> Estimate:
    """By how much the strongest site of one head is above those of every other head.

    A given head is not searched for; its site and its rival are.
    """
    sizes, groups = _by_pair(tables["patching"])
    own = None if layer is None else _group(sizes.columns, layer, head)
    return _lead(tables, sizes, groups, own)


def other_head_leads(tables: Tables, settings: Section) -> Estimate:
    """By how much the strongest site of other heads is above those of the head that other methods name.

    These choose it by gradients in the same paragraphs, and by attention. What is accidental in that choice
    can only enlarge the named head's effect, so it makes no lead of another one.
    """
    sizes, groups = _by_pair(tables["patching"])
    named = head_of_other_methods(tables["head_ranking"], settings, "patching")
    of_named = groups == _group(sizes.columns, *named)
    return _lead(tables, sizes, of_named.astype(int), 0)


def _lead(tables: Tables, sizes: pd.DataFrame, groups: np.ndarray, own: int | None) -> Estimate:
    if len(set(groups)) < 2:
        return Estimate(missing="the model has one head")
    exact = (tables["patching"]["method"] == "exact").all()
    doubt = None if exact else "patches of this model were estimated, not run"
    return Estimate.of(uncertainty.lead(sizes.to_numpy(), groups, own), doubt)


def _by_pair(patching: pd.DataFrame) -> tuple[pd.DataFrame, np.ndarray]:
    """Effects of pairs x sites (layer, component, head), and the sites' groups (`_group`)."""
    sizes = patching.assign(size=patching["nll_change"].abs())
    by_pair = sizes.pivot_table(index="id", columns=["layer", "component", "head"], values="size")
    sites = by_pair.columns
    layer, component, head = (sites.get_level_values(name).to_numpy() for name in sites.names)
    query_heads = np.where(component == "q", head, head * _n_shared(sites))
    return by_pair, _group(sites, layer, query_heads)


def _group(sites: pd.MultiIndex, layer: np.ndarray | int, head: np.ndarray | int) -> np.ndarray | int:
    """Number, counted over layers, of the key/value head that query heads read."""
    n_stored = _n_heads(sites, "k")
    return layer * n_stored + stored_head(head, n_stored, _n_heads(sites, "q"))


def _n_shared(sites: pd.MultiIndex) -> int:
    return _n_heads(sites, "q") // _n_heads(sites, "k")


def _n_heads(sites: pd.MultiIndex, component: str) -> int:
    of_component = sites.get_level_values("component") == component
    return sites.get_level_values("head")[of_component].max() + 1
