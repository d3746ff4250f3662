"""Exact match and NLL of every kept paragraph (paper 3.2)."""

import pandera.pandas as pa

from memloc.tables.columns import column, integer, number
from memloc.tables.schema import Lengths, Schema


def _scores(lengths: Lengths) -> dict[str, pa.Column]:
    return {
        "id": integer(0, unique=True, meaning="Paragraph."),
        "em": integer(
            0,
            lengths.continuation,
            unit="tokens",
            meaning="Exact match: leading tokens of the continuation that the model predicts.",
        ),
        "nll": number(0, unit="nats per token", meaning="Mean negative log-likelihood of the continuation."),
        "margin": number(
            0,
            unit="logits",
            meaning="Smallest lead of a predicted token over its runner-up that decides the exact match.",
        ),
        "redecoded": column(bool, meaning="A near-tie: decoded step by step instead of from one pass."),
    }


SCORES = Schema("scores", _scores)
