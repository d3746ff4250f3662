"""This run next to published numbers."""

from memloc.tables.columns import Column, Columns, Lengths, exact_match, integer, nats, number


def expected(lengths: Lengths) -> Columns:
    return {
        "quantity": Column("str", unique=True, meaning="Quantity that is compared."),
        "expected": number(nullable=True, meaning="Published number."),
        "found": number(nullable=True, meaning="Number of this run."),
        "agrees": Column(
            "boolean", nullable=True, meaning="Whether both are equal; missing where one is missing."
        ),
    }


def memorized_agreement(lengths: Lengths) -> Columns:
    def whole(meaning: str, unit: str | None = None) -> Column:
        return integer(0, dtype="Int64", nullable=True, unit=unit, meaning=meaning)

    whole_paragraph = "nats per token, over all tokens but the first"
    return {
        "text": Column("str", unique=True, meaning="Text of the paragraph."),
        "published": Column("bool", meaning="In the published list."),
        "memorized": Column("bool", meaning="Memorized in this run."),
        "id": whole("Paragraph of this run; missing where it has none with this text."),
        "published_id": whole("Id in the published list."),
        "count": whole("How often the paragraph occurs.", "occurrences in the corpus"),
        "published_count": whole("Count in the published list."),
        "em": exact_match(lengths.continuation, dtype="Int64", nullable=True),
        "nll": nats("Mean negative log-likelihood of the continuation.", nullable=True),
        "nll_paragraph": number(
            0, nullable=True, unit=whole_paragraph, meaning="Mean NLL of the whole paragraph."
        ),
        "published_nll": nats("NLL in the published list.", nullable=True),
    }
