"""This run next to published numbers."""

from memloc.tables.columns import Column, Columns, integer, number
from memloc.tables.schema import Lengths


def expected(lengths: Lengths) -> Columns:
    return {
        "quantity": Column("str", unique=True, meaning="What is compared."),
        "expected": number(nullable=True, meaning="Published number."),
        "found": number(nullable=True, meaning="Number of this run."),
        "agrees": Column("boolean", nullable=True, meaning="Whether they are equal; missing where one is."),
    }


def memorized_agreement(lengths: Lengths) -> Columns:
    return {
        "text": Column("str", unique=True, meaning="Text of the paragraph."),
        "published": Column("bool", meaning="In the published list."),
        "memorized": Column("bool", meaning="Memorized in this run."),
        "id": integer(
            0,
            dtype="Int64",
            nullable=True,
            meaning="Paragraph of this run; missing where it has none with this text.",
        ),
        "published_id": integer(0, dtype="Int64", nullable=True, meaning="Id in the published list."),
        "count": integer(
            0,
            dtype="Int64",
            nullable=True,
            unit="occurrences in the corpus",
            meaning="How often the paragraph occurs.",
        ),
        "published_count": integer(0, dtype="Int64", nullable=True, meaning="Count in the published list."),
        "em": integer(
            0,
            lengths.continuation,
            dtype="Int64",
            nullable=True,
            unit="tokens",
            meaning="Exact match: leading tokens of the continuation that the model predicts.",
        ),
        "nll": number(
            0,
            nullable=True,
            unit="nats per token",
            meaning="Mean negative log-likelihood of the continuation.",
        ),
        "nll_paragraph": number(
            0,
            nullable=True,
            unit="nats per token, over all tokens but the first",
            meaning="Mean NLL of the whole paragraph.",
        ),
        "published_nll": number(
            0, nullable=True, unit="nats per token", meaning="NLL in the published list."
        ),
    }
