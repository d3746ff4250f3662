"""Losses of paragraphs without attention heads."""

from memloc.tables.columns import HEAD, LAYER, Column, Columns, Lengths, integer
from memloc.tables.judged_texts import lost_text


def head_ablation(lengths: Lengths) -> Columns:
    return {
        "layer": LAYER,
        "head": HEAD,
        **lost_text(lengths),
    }


def cumulative_ablation(lengths: Lengths) -> Columns:
    return {
        "method": Column("str", meaning="Method whose ranking's first heads are ablated, or random."),
        "draw": integer(0, meaning="Number of the random draw."),
        "n_heads": integer(0, meaning="Heads that are ablated together."),
        **lost_text(lengths),
    }
