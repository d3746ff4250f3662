"""The text of the model's tokens."""

from memloc.tables.columns import Column, Columns, Lengths, integer


def vocabulary(lengths: Lengths) -> Columns:
    return {
        "token": integer(0, unique=True, meaning="Token id."),
        "text": Column("str", meaning="Text of the token."),
    }
