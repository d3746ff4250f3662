"""Exact match, NLL (paper 3.2) and probability under sampling of every kept paragraph."""

from memloc.tables.columns import NLL, PARAGRAPH, Column, Columns, exact_match, integer, number
from memloc.tables.schema import Lengths


def scores(lengths: Lengths) -> Columns:
    return {
        "id": integer(0, unique=True, meaning="Paragraph."),
        "em": exact_match(lengths.continuation),
        "nll": NLL,
        "margin": number(
            0,
            unit="logits",
            meaning="Smallest lead of a predicted token over its runner-up that decides the exact match.",
        ),
        "redecoded": Column("bool", meaning="A near-tie: decoded step by step instead of from one pass."),
    }


def extraction(lengths: Lengths) -> Columns:
    return {
        "id": PARAGRAPH,
        "scheme": Column("str", meaning="How tokens are sampled: temperature and truncation."),
        "log_p": Column(
            "float64",
            high=0,
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
