"""Numbers of captions on gradients: the strongest component, the rank of a head, the share of lower
layers, and which heads share keys and values."""

from typing import Any

import pandas as pd

from memloc.localization.head_scores import over_query_heads


def strongest_component(rows: pd.DataFrame, value: str = "max_abs") -> str:
    """The component with the largest value, in words: "W_V of head 2 in layer 1"."""
    row = rows.loc[rows[value].idxmax()]
    kind = "key/value head" if sharing(rows) > 1 and row["component"][-1] in "kvKV" else "head"
    head = "" if pd.isna(row["head"]) else f"{kind} {row['head']} in "
    return f"{row['component']} of {head}layer {row['layer']}"


def sharing(rows: pd.DataFrame) -> int:
    """How many query heads read one key/value head."""
    n_heads = rows.groupby("component", observed=True)["head"].max() + 1
    return int(n_heads.max() // n_heads.min())


def said_of_sharing(rows: pd.DataFrame, head: int) -> str:
    """A sentence for captions: which key/value head a query head reads; empty where none is shared."""
    n = sharing(rows)
    reads = f"Every {n} heads share the keys and values of one key/value head; head {head} reads number"
    return f" {reads} {head // n}, which has the mark in maps of keys and values." if n > 1 else ""


def scores_of_heads(rows: pd.DataFrame, value: str) -> pd.Series:
    """Largest value over the components of every query head, by layer and head."""
    of_heads = rows[rows["head"].notna()].astype({"head": int})
    scores = of_heads.set_index(["component", "layer", "head"])[value]
    return over_query_heads(scores, n_heads=of_heads["head"].max() + 1)


def layer_numbers(rows: pd.DataFrame) -> dict[str, int]:
    """Numbers of layers: of the model, and of its lower half, without the middle one of an odd number."""
    n_layers = int(rows["layer"].max()) + 1
    return {"n_layers": n_layers, "n_lower": n_layers // 2}


def lower_share(rows: pd.DataFrame, value: str) -> float:
    """Share of the sum of `value` that lies in the lower half of the layers."""
    lower = rows["layer"] < layer_numbers(rows)["n_lower"]
    return float(rows.loc[lower, value].sum() / rows[value].sum())


def group_numbers(rows: pd.DataFrame, layer: int, head: int) -> dict[str, Any]:
    """Numbers of one group's rows of table parameter_gradients.

    Heads are ranked by the max_abs of their strongest matrix; 1 is the largest.
    """
    heads = scores_of_heads(rows, "max_abs")
    return {
        "strongest": strongest_component(rows),
        "max": float(rows["max_abs"].max()),
        "sum": float(rows["sum_abs"].sum()),
        "rank": 1 + int((heads > heads.loc[layer, head]).sum()),
        "n_heads": heads.size,
        "lower_share_max": lower_share(rows, "max_abs"),
        "lower_share_sum": lower_share(rows, "sum_abs"),
    }
