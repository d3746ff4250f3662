"""Columns that several stages share: paragraphs that judge heads or weights."""

from collections.abc import Sequence

from memloc.tables import columns
from memloc.tables.columns import PARAGRAPH, Column, Columns, Lengths, category, integer, number

TEXTS = ("memorized", "non_memorized", "held_out")
PAIRED = "paired"  # the paragraphs of pairs of equal exposure; they may be in another group, too


def judged_text(lengths: Lengths, groups: Sequence[str] = TEXTS) -> Columns:
    """A paragraph that judges heads or weights; `used`: an analysis that chooses them has sampled it."""
    return {
        "group": category(*groups, meaning="Group of paragraphs."),
        "id": PARAGRAPH,
        "used": Column("bool", meaning="Sampled by an analysis that chooses heads or weights."),
        "em": columns.exact_match(lengths.continuation),
        "nll": columns.NLL,
    }


def lost_text(lengths: Lengths) -> Columns:
    """A judging paragraph, and its loss by an intervention."""
    n = lengths.continuation
    return {
        **judged_text(lengths, (*TEXTS, PAIRED)),
        "em_lost": integer(-n, n, unit="tokens", meaning="Fall of the exact match under the intervention."),
        "nll_gained": number(unit="nats per token", meaning="Rise of the NLL under the intervention."),
    }
