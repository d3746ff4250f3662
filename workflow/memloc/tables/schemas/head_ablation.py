"""Losses of paragraphs without attention heads."""

from memloc.tables.columns import HEAD, LAYER, Column, Columns, Lengths, category, integer, number
from memloc.tables.judged_texts import TEXTS, lost_text


def head_ablation(lengths: Lengths) -> Columns:
    return {
        "layer": LAYER,
        "head": HEAD,
        **lost_text(lengths),
    }


def head_effects(lengths: Lengths) -> Columns:
    return {
        "measure": category("em_lost", "nll_gained", meaning="Loss that is measured."),
        "layer": LAYER,
        "head": HEAD,
        **{name: number(meaning=f"Loss of the texts `{name}`.") for name in TEXTS},
        "specific": number(meaning="Loss of memorized texts minus loss of non-memorized ones."),
        "low": number(nullable=True, meaning="Lower end of the interval of `specific`."),
        "high": number(nullable=True, meaning="Upper end of the interval of `specific`."),
        "rank": integer(1, meaning="Place in the ranking; 1 is the largest `specific`."),
    }


def cumulative_ablation(lengths: Lengths) -> Columns:
    return {
        "method": Column("str", meaning="Method whose ranking's first heads are ablated, or random."),
        "draw": integer(0, meaning="Number of the random draw."),
        "n_heads": integer(0, meaning="Heads that are ablated together."),
        **lost_text(lengths),
    }
