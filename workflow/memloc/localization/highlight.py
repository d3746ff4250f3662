"""The attention head that figures point at: the configured one, or the one that methods agree on."""

import pandas as pd

from memloc.settings.base import Section
from memloc.tables.terms.head_ranking import COMBINED, PAPER_METHODS

ORDER = ["rank", "layer", "head"]  # of heads that share a rank, the lower layer and head comes first


def highlighted_head(tables: dict[str, pd.DataFrame], settings: Section) -> tuple[int, int]:
    """(layer, head) of setting `highlight`, or the first of the combined ranking."""
    if settings.highlight:
        return settings.highlight.layer, settings.highlight.head
    ranking = tables["head_ranking"]
    first = ranking[ranking["method"] == COMBINED].sort_values(ORDER).iloc[0]
    return int(first["layer"]), int(first["head"])


def ordered_heads(tables: dict[str, pd.DataFrame], settings: Section) -> list[tuple[int, int]]:
    """(layer, head) of all heads: the highlighted one, then the others by the combined ranking."""
    ranking, first = tables["head_ranking"], highlighted_head(tables, settings)
    combined = ranking[ranking["method"] == COMBINED].sort_values(ORDER)
    heads = zip(combined["layer"].tolist(), combined["head"].tolist(), strict=True)
    return [first, *(head for head in heads if head != first)]


def head_of_other_methods(tables: dict[str, pd.DataFrame], settings: Section, method: str) -> tuple[int, int]:
    """(layer, head) that a study points at without `method`, so that `method` can judge it.

    It is the configured head, or the one with the lowest mean rank by the paper's other methods.
    """
    if settings.highlight:
        return settings.highlight.layer, settings.highlight.head
    ranking = tables["head_ranking"]
    others = ranking[ranking["method"].isin(set(PAPER_METHODS) - {method})]
    return others.groupby(["layer", "head"])["rank"].mean().idxmin()
