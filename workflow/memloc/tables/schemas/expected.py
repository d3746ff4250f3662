"""This run next to published numbers."""

from memloc.tables.columns import Column, Columns, Lengths, number


def expected(lengths: Lengths) -> Columns:
    return {
        "quantity": Column("str", unique=True, meaning="Quantity that is compared."),
        "expected": number(nullable=True, meaning="Published number."),
        "found": number(nullable=True, meaning="Number of this run."),
        "agrees": Column(
            "boolean", nullable=True, meaning="Whether both are equal; missing where one is missing."
        ),
    }
