"""Exact match, NLL (paper 3.2) and probability under sampling of every kept paragraph."""

from memloc.tables.columns import NLL, ONE_PARAGRAPH, Column, Columns, Lengths, exact_match, number


def scores(lengths: Lengths) -> Columns:
    return {
        "id": ONE_PARAGRAPH,
        "em": exact_match(lengths.continuation),
        "nll": NLL,
        "margin": number(
            0,
            unit="logits",
            meaning="Smallest lead over the runner-up among the predictions that decide the exact match.",
        ),
        "redecoded": Column("bool", meaning="A near-tie: decoded step by step instead of from one pass."),
    }


def extraction(lengths: Lengths) -> Columns:
    return {
        "id": ONE_PARAGRAPH,
        "log_p": Column(
            "float64",
            high=0,
            unit="natural logarithm",
            meaning="Probability that sampling (T = 1, top 40) gives the continuation; -inf: it cannot.",
        ),
    }
