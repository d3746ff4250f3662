"""Estimators of the topic `cumulative_ablation`: does a ranking find heads that memorized paragraphs need?"""

from memloc.claims.specific import in_proportion
from memloc.claims.verdicts import Estimate, NotApplicable, Tables
from memloc.data.sets import paired_differences
from memloc.settings.base import Section
from memloc.statistics.studentised import ENOUGH, FEWEST_ORDERS, among
from memloc.tables.judged_texts import PAIRED


def combined_finds_specific_heads(tables: Tables, settings: Section) -> Estimate:
    """NLL gained without the first heads of the combined ranking, above the NLL gained in random orders.

    Gains are the memorized minus the other paragraph of a pair, averaged over pairs that no analysis has
    sampled and over numbers of heads. Random orders exchange heads within their layers. The unit is the
    order. The estimate is in doubt if others are harmed in proportion (`claims.specific`).
    """
    table = tables["cumulative_ablation"]
    rows = table[(table["n_heads"] > 0) & (table["group"] == PAIRED)]
    gained = rows.groupby(["id", "method", "draw"], observed=True)["nll_gained"].mean()
    specific = paired_differences(gained.unstack(["method", "draw"]), tables["sets"]).mean()
    if rows.empty:
        raise NotApplicable(f"fewer than {ENOUGH} pairs of equal count that no analysis has sampled")
    orders = specific.loc["random"].to_numpy()
    means = gained.groupby(["id", "method"], observed=True).mean().unstack("method")
    doubt = in_proportion(means[["combined", "random"]], tables["sets"])
    if len(orders) < FEWEST_ORDERS:
        doubt = f"{len(orders)} random orders; fewer than {FEWEST_ORDERS} leave too much to chance"
    return Estimate.of(among(specific.loc["combined"].iloc[0], orders), doubt=doubt)
