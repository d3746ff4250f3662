"""The text of the model's tokens."""

from memloc.tables.columns import Column, Columns, integer
from memloc.tables.schema import Lengths


def vocabulary(lengths: Lengths) -> Columns:
    return {
        "token": integer(0, unique=True, meaning="Token id."),
        "text": Column("str", meaning="Text of the token."),
    }
