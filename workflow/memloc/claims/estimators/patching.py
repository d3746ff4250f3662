"""Estimators of the topic `patching`: heads whose activations carry the perturbation (paper A.3)."""

from dataclasses import replace

import numpy as np
import pandas as pd

from memloc.claims.verdicts import Estimate, NotApplicable, Tables
from memloc.localization.highlight import head_of_other_methods
from memloc.model.head_groups import stored_head
from memloc.settings.base import Section
from memloc.statistics.studentised import extreme
from memloc.statistics.uncertainty import Interval


def patching_points_elsewhere(tables: Tables, settings: Section) -> Estimate:
    """Lead of a site (q, k or v) of some other head over all sites of the head that other methods name.

    An effect is the mean |change in NLL| of both directions, in nats, by pair and site. Query heads that
    share a key/value head count as one with it. The value is the largest lead among the other sites, and the
    intervals hold for all of them together. Gradients and attention named the head on the same paragraphs.
    Chance in that choice can only enlarge the named head's effect, so it cannot give another head a lead.
    """
    patching = tables["patching"].assign(size=tables["patching"]["nll_change"].abs())
    by_pair = patching.pivot_table(index="id", columns=["layer", "component", "head"], values="size")
    named = head_of_other_methods(tables, settings, "patching")
    of_named = _of_head(by_pair.columns, *named)
    if of_named.all():
        raise NotApplicable("the model has one head")
    sizes = by_pair.to_numpy()
    own, others = sizes[:, of_named], sizes[:, ~of_named]
    ahead, n = (others[:, :, None] - own[:, None]).reshape(len(sizes), -1), own.shape[1]

    def largest(leads: list[Interval]) -> Interval:
        return extreme(max, (extreme(min, leads[first : first + n]) for first in range(0, len(leads), n)))

    exact = (patching["method"] == "exact").all()
    doubt = None if exact else "patches of this model were estimated, not run"
    return replace(Estimate.of_search(ahead, largest), doubt=doubt)


def _of_head(sites: pd.MultiIndex, layer: int, head: int) -> np.ndarray:
    """Mask of the sites of a query head, of its key/value head, and of the query heads that share it."""
    layers, components, heads = (sites.get_level_values(name).to_numpy() for name in sites.names)
    n_queries, n_stored = (heads[components == name].max() + 1 for name in "qk")
    stored = np.where(components == "q", stored_head(heads, n_stored, n_queries), heads)
    return (layers == layer) & (stored == stored_head(head, n_stored, n_queries))
