"""Compare a run with published numbers (paper A.1)."""

from collections.abc import Mapping

import pandas as pd

from memloc.data.sets import assign_sets
from memloc.localization.highlight import highlighted_head
from memloc.settings.base import Section
from memloc.tables.terms.sets import bins

LOCALIZED = ("head_ranking", "rare_token_correlation", "impact_gradients")  # tables of `localized_numbers`
RANKED_BY = ("combined", "parameter_gradient", "patching")


def run_numbers(paragraphs: pd.DataFrame, scores: pd.DataFrame, n_continuation: int) -> dict[str, int]:
    """The run's counterparts of the published numbers (paper 3.1, 3.2); `scores` are of kept paragraphs."""
    sizes = assign_sets(scores["em"], n_continuation).value_counts()
    counts = paragraphs["count"][paragraphs["id"].isin(scores["id"])]
    numbers = {f"n_{name}": int(sizes.get(name, 0)) for name in bins(n_continuation)}
    return {"n_paragraphs": len(scores), **numbers, "max_count": int(counts.max()) if len(counts) else 0}


def localized_numbers(
    published: Mapping[str, float], tables: dict[str, pd.DataFrame], settings: Section
) -> tuple[dict[str, float | None], dict[str, float]]:
    """Expected and found numbers from analyses, by quantity.

    They are the ranks of the highlighted head and of the layer (1 is the first), the number of different
    tokens, and the correlation of the head's attention with rarity, of which two digits are published.
    """
    head, rare = highlighted_head(tables, settings), tables["rare_token_correlation"]
    ranks = tables["head_ranking"].astype({"method": str}).set_index(["method", "layer", "head"])["rank"]
    perturbed = tables["impact_gradients"].query("group == 'perturbed'")
    by_layer = perturbed.groupby("layer")["max_abs"].sum().rank(ascending=False, method="min")
    pearson = rare.set_index(["layer", "head"])["pearson"].get(head, float("nan"))
    found = {
        "n_unique_tokens": int(rare["n_unique_tokens"].iloc[0]),
        "rank_key_query_layer": by_layer.get(published.get("key_query_layer")),
        **{f"rank_{method}": ranks.get((method, *head)) for method in RANKED_BY},
        "rare_token_correlation": round(float(pearson), 2),
    }
    wanted = {f"rank_{method}": published.get("rank_of_head") for method in RANKED_BY}
    wanted["rank_key_query_layer"] = 1 if "key_query_layer" in published else None
    return {name: published.get(name) for name in found} | wanted, found


def compare(expected: dict[str, float | None], found: dict[str, float | None]) -> pd.DataFrame:
    """One row per quantity: expected, found, and whether they agree (null where nothing is expected)."""
    frame = pd.DataFrame({"quantity": list(found), "found": list(found.values())})
    frame["expected"] = pd.Series([expected.get(name) for name in found], dtype="float64")
    frame["agrees"] = (frame["expected"] == frame["found"]).astype("boolean").mask(frame["expected"].isna())
    return frame[["quantity", "expected", "found", "agrees"]]
