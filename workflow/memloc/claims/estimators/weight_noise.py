"""Estimators of the topic `weight_noise`: do the weights with the largest gradients hold paragraphs?"""

import pandas as pd

from memloc.claims.verdicts import Estimate
from memloc.settings.base import Section
from memloc.statistics.studentised import two_way
from memloc.statistics.uncertainty import MIN_N


def noise_on_top_is_specific(tables: dict[str, pd.DataFrame], settings: Section) -> Estimate:
    """How much more NLL memorized paragraphs gain by noise on top-gradient than on as many random weights,
    minus the same of non-memorized ones.

    Sizes of the noise are averaged. Memorized paragraphs have not chosen the weights. A draw of the noise
    affects all paragraphs together, so draws are a sample of their own.
    """
    table = tables["weight_noise"]
    rows = table[(table["kind"] == "noise") & (table["size"] > 0) & ~table["seen"]]
    if rows.empty:
        return Estimate(missing="every memorized paragraph is in a sample of the analyses")
    nll = rows.groupby(["group", "id", "draw", "arm"], observed=True)["nll"].mean().unstack("arm")
    more = (nll["top"] - nll["random"]).unstack("draw")
    groups = more.index.get_level_values("group")
    memorized, others = (more[groups == name].to_numpy() for name in ("memorized", "non_memorized"))

    few = more.shape[1] < MIN_N
    doubt = f"fewer than {MIN_N} draws could all go one way by chance" if few else None
    return Estimate.of(two_way(memorized, others), len(others), doubt)
