"""What a publication says of one head, one layer and rare tokens, next to this run (paper 5, 6, A)."""

import pandas as pd

from memloc.settings.base import Section

TABLES = ("head_ranking", "rare_token_correlation", "impact_gradients")
RANKED_BY = ("combined", "parameter_gradient", "patching")


def needed(expected: Section) -> bool:
    """Whether any number of the analyses is expected, so that their tables are read."""
    of_analyses = expected.model_dump(include={"head", "key_query_layer", "n_unique_tokens"})
    return any(value is not None for value in of_analyses.values())


def localized_numbers(
    expected: Section, tables: dict[str, pd.DataFrame]
) -> tuple[dict[str, float], dict[str, float]]:
    """Expected and found numbers by quantity: ranks of the head and of the layer, 1 being the first;
    different tokens; and the head's correlation of attention and rarity, of which two digits are
    published."""
    wanted, found = {}, {}
    rare = tables["rare_token_correlation"].set_index(["layer", "head"])
    if expected.n_unique_tokens is not None:
        wanted["n_unique_tokens"] = expected.n_unique_tokens
        found["n_unique_tokens"] = int(rare["n_unique_tokens"].iloc[0])
    if expected.key_query_layer is not None:
        rows = tables["impact_gradients"].query("group == 'perturbed'")
        by_layer = rows.groupby("layer")["max_abs"].sum().rank(ascending=False, method="min")
        wanted["rank_key_query_layer"] = 1
        found["rank_key_query_layer"] = by_layer.get(expected.key_query_layer)
    if expected.head is not None:
        head = (expected.head.layer, expected.head.head)
        ranks = tables["head_ranking"].astype({"method": str}).set_index(["method", "layer", "head"])["rank"]
        wanted |= {f"rank_{method}": 1 for method in RANKED_BY}
        found |= {f"rank_{method}": ranks.get((method, *head)) for method in RANKED_BY}
        wanted["rare_token_correlation"] = expected.rare_token_correlation
        found["rare_token_correlation"] = round(float(rare["pearson"].get(head, float("nan"))), 2)
    return wanted, found
