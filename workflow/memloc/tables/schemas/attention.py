"""Attention of the first decoded token (paper 6.2)."""

from memloc.tables import columns
from memloc.tables.columns import HEAD, LAYER, PARAGRAPH, Columns, Lengths, number


def attention(lengths: Lengths) -> Columns:
    unit = "share of the attention of the first decoded token"
    share = number(0, 1.000001, "float32", unit=unit, meaning="Attention that the head pays to it.")
    return {
        "id": PARAGRAPH.stored_as("int32"),
        "layer": LAYER.stored_as("int16"),
        "head": HEAD.stored_as("int16"),
        "position": columns.position(
            0, lengths.prefix, meaning="Position that is attended to.", dtype="int16"
        ),
        "attention": share,
    }
