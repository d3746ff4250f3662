"""NLL of every continuation token."""

from memloc.tables import columns
from memloc.tables.columns import PARAGRAPH, Columns, Lengths, number


def token_statistics(lengths: Lengths) -> Columns:
    return {
        "id": PARAGRAPH,
        "position": columns.position(lengths.prefix, lengths.paragraph, meaning="Position of the token."),
        "nll": number(0, unit="nats", meaning="NLL of the token."),
    }
