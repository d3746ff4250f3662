"""Estimators of the topic `grown_truth`: which methods find a paragraph where it grew.

A place is ranked among the units of its own layer: over all layers, a method that always prefers one layer
would be right by that. Memories whose places are in one layer of one training count once, together.
"""

import numpy as np
from jaxtyping import Float

from memloc.claims.verdicts import NotApplicable, Tables
from memloc.settings.base import Section


def grown_heads_beyond_the_twin(tables: Tables, settings: Section, kind: str) -> Float[np.ndarray, "layer"]:
    """AUROC (in points) of the largest gradient within the place's layer, minus the one in the swap twin.

    Raises:
        NotApplicable: no memory of the kind was asked about.
    """
    if "grown_truth" in tables:
        rows = tables["grown_truth"].query("kind == @kind and method == 'parameter_gradient'")
        rows = rows.dropna(subset="place_layer")
        found = rows.groupby(["place_layer", "asked_model"], observed=True)["auroc_in_layer"].mean().unstack()
        if {"own", "twin"} <= set(found):
            return 100 * (found["own"] - found["twin"]).to_numpy()
    raise NotApplicable(
        f"no memory that grew in {kind.removeprefix('grown_')} was asked about: see model.grown"
    )
