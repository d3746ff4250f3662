"""Estimators of the topic `cumulative_ablation`: does a ranking find heads that memorized paragraphs need?"""

import pandas as pd

from memloc.claims.verdicts import Estimate
from memloc.settings.base import Section
from memloc.statistics.studentised import FEWEST_ORDERS, among


def combined_finds_specific_heads(tables: dict[str, pd.DataFrame], settings: Section) -> Estimate:
    """NLL gained without the first heads of the combined ranking, memorized minus non-memorized paragraphs,
    among the same of orders whose heads are exchanged within their layers.

    The unit is the order. Only paragraphs that no analysis has sampled count; numbers of heads are averaged.
    """
    table = tables["cumulative_ablation"]
    rows = table[(table["n_heads"] > 0) & ~table["seen"]]
    means = rows.groupby(["group", "method", "draw"], observed=True)["nll_gained"].mean().unstack("group")
    if not {"memorized", "non_memorized"} <= set(means):
        return Estimate(missing="every memorized paragraph is in a sample of the analyses")
    specific = means["memorized"] - means["non_memorized"]
    orders = specific.loc["random"].to_numpy()
    few = len(orders) < FEWEST_ORDERS
    doubt = (
        f"{len(orders)} random orders; fewer than {FEWEST_ORDERS} leave too much to chance" if few else None
    )
    return Estimate.of(among(specific.loc["combined"].iloc[0], orders), doubt=doubt)
