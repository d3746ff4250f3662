"""Estimators of the topic `patching`: heads whose activations carry the perturbation (paper A.3)."""

import numpy as np
import pandas as pd

from memloc.claims.verdicts import Estimate
from memloc.localization.head_ranking import patching_scores
from memloc.statistics import uncertainty

Tables = dict[str, pd.DataFrame]
ESTIMATED = "patches of this model were estimated, not run"


def head_place(tables: Tables, settings: dict, layer: int, head: int) -> Estimate:
    """Place of a head by activation patching (`head_ranking.patching_scores`); 1 is the strongest."""
    patching = tables["patching"]
    if (patching["method"] != "exact").any():
        return Estimate(missing=ESTIMATED)
    scores = patching_scores(patching, _n_query_heads(patching))
    return Estimate(1 + int((scores > scores[layer, head]).sum()), n=patching["id"].nunique())


def head_lead(tables: Tables, settings: dict) -> Estimate:
    """By how much |change in NLL| from one head's q, k or v is above that of every other head.

    Mean over both directions, in nats. Query heads that share a key/value head count as one with it.
    """
    patching = tables["patching"]
    sizes = patching.assign(size=patching["nll_change"].abs())
    by_pair = sizes.pivot_table(index="id", columns=["layer", "component", "head"], values="size")
    groups = _head_groups(by_pair.columns)
    if len(set(groups)) < 2:
        return Estimate(missing="the model has one head")
    doubt = None if (patching["method"] == "exact").all() else ESTIMATED
    return Estimate.of(uncertainty.lead(by_pair.to_numpy(), groups), doubt)


def _n_query_heads(patching: pd.DataFrame) -> int:
    return int(patching["head"].max()) + 1


def _head_groups(sites: pd.MultiIndex) -> np.ndarray:
    """Number, counted over layers, of the key/value head that a site (layer, component, head) belongs to."""
    layer, component, head = (sites.get_level_values(name).to_numpy() for name in sites.names)
    n_heads = {name: head[component == name].max() + 1 for name in "qkv"}
    shared = np.where(component == "q", n_heads["q"] // n_heads["k"], 1)
    return layer * n_heads["k"] + head // shared
