"""For captions on gradients: the strongest component, the place of a head, the share of lower layers."""

import pandas as pd

from memloc.localization.head_scores import over_query_heads


def strongest_component(rows: pd.DataFrame, value: str = "max_abs") -> str:
    """The component with the largest value, in words: "W_V of head 2 in layer 1"."""
    row, last = rows.loc[rows[value].idxmax()], rows.groupby("component", observed=True)["head"].max()
    shared = last.max() > last.min() and row["component"][-1] in "kvKV"
    kind = "key/value head" if shared else "head"
    head = "" if pd.isna(row["head"]) else f"{kind} {row['head']} in "
    return f"{row['component']} of {head}layer {row['layer']}"


def scores_of_heads(rows: pd.DataFrame, value: str) -> pd.Series:
    """Largest value over the components of every query head, by layer and head."""
    of_heads = rows[rows["head"].notna()].astype({"head": int})
    scores = of_heads.set_index(["component", "layer", "head"])[value]
    return over_query_heads(scores, n_heads=of_heads["head"].max() + 1)


def lower_share(rows: pd.DataFrame, value: str) -> float:
    """Share of the sum of `value` in the lower half of the layers, which excludes a middle one."""
    lower = rows["layer"] < (rows["layer"].max() + 1) // 2
    return float(rows.loc[lower, value].sum() / rows[value].sum())


def place(scores: pd.Series, head: tuple[int, int]) -> int:
    """Place of a head by its score; 1 is the largest."""
    return 1 + int((scores > scores.loc[head]).sum())
