"""Which head figures and claims point at, on three heads that methods rank in other orders."""

import pandas as pd

from memloc.localization.highlight import head_of_other_methods, ordered_heads
from memloc.settings.sections import sections

AUTO = sections({"highlight": None})
CONFIGURED = sections({"highlight": {"layer": 1, "head": 0}})
A, B, C = (0, 0), (0, 1), (1, 0)
ORDERS = {
    "patching": [C, A, B],
    "rare_tokens": [A, B, C],
    "activation_gradient": [B, C, A],
    "mine": [C, B, A],
    "combined": [A, B, C],
}


def ranking(**orders) -> pd.DataFrame:
    """Rows in no order."""
    rows = [
        (method, *head, rank)
        for method, order in (ORDERS | orders).items()
        for rank, head in enumerate(order, 1)
    ]
    return pd.DataFrame(rows, columns=["method", "layer", "head", "rank"]).sample(frac=1, random_state=1)


def test_all_heads_follow_the_highlighted_one_in_the_order_of_the_combined_ranking():
    tables = {"head_ranking": ranking(combined=[B, C, A])}
    assert ordered_heads(tables, AUTO) == [B, C, A]
    assert ordered_heads(tables, CONFIGURED) == [C, B, A]


def test_other_methods_point_at_the_head_with_the_lowest_mean_rank_among_them():
    """Without patching: A has ranks 1 and 3, B 2 and 1, C 3 and 2. With it, all heads have the same mean."""
    assert head_of_other_methods({"head_ranking": ranking()}, AUTO, "patching") == B
    assert head_of_other_methods({"head_ranking": ranking()}, AUTO, "rare_tokens") == C
    assert head_of_other_methods({"head_ranking": ranking()}, CONFIGURED, "patching") == C
