"""Exact match, NLL (paper 3.2) and probability under sampling of every kept paragraph."""

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


def _extraction(lengths: Lengths) -> dict[str, pa.Column]:
    return {
        "id": integer(0, meaning="Paragraph."),
        "scheme": column("str", meaning="How tokens are sampled: temperature and truncation."),
        "log_p": column(
            "float64",
            pa.Check.le(0),
            unit="natural logarithm",
            meaning="Probability that sampling gives the continuation; -inf: truncation removes a token.",
        ),
        "n_outside": integer(
            0,
            lengths.continuation,
            unit="tokens of the continuation",
            meaning="Tokens that truncation removes.",
        ),
        "worst_rank": integer(
            0,
            unit="tokens of the vocabulary",
            meaning="Tokens that are more likely than the least expected one of the continuation.",
        ),
    }


SCORES = Schema("scores", _scores)
EXTRACTION = Schema("extraction", _extraction)
