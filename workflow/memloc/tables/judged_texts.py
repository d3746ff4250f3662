"""Columns of paragraphs that judge heads or weights, which several stages share."""

from collections.abc import Sequence

import pandera.pandas as pa

from memloc.tables.columns import category, column, integer, number
from memloc.tables.schema import Lengths

TEXTS = ("memorized", "non_memorized", "held_out")


def judged_text(lengths: Lengths, groups: Sequence[str] = TEXTS) -> dict[str, pa.Column]:
    """A paragraph that judges heads or weights; `seen`: an analysis that chooses them has sampled it."""
    return {
        "group": category(*groups, meaning="Group of paragraphs."),
        "id": integer(0, meaning="Paragraph."),
        "seen": column(bool, meaning="Sampled by an analysis that chooses heads or weights."),
        "em": integer(
            0,
            lengths.continuation,
            unit="tokens",
            meaning="Exact match: leading tokens of the continuation that the model predicts.",
        ),
        "nll": number(0, unit="nats per token", meaning="Mean negative log-likelihood of the continuation."),
    }


def lost_text(lengths: Lengths) -> dict[str, pa.Column]:
    """What an intervention takes of a paragraph that judges it."""
    return {
        **judged_text(lengths),
        "em_lost": integer(
            -lengths.continuation,
            lengths.continuation,
            unit="tokens",
            meaning="Exact match without the ablation minus that with it.",
        ),
        "nll_gained": number(unit="nats per token", meaning="NLL with the ablation minus that without it."),
    }
