"""Attention of the first decoded token (paper 6.2)."""

from memloc.tables.columns import HEAD, LAYER, PARAGRAPH, Columns, integer, number
from memloc.tables.schema import Lengths


def attention(lengths: Lengths) -> Columns:
    return {
        "id": PARAGRAPH.stored_as("int32"),
        "layer": LAYER.stored_as("int16"),
        "head": HEAD.stored_as("int16"),
        "position": integer(
            0,
            lengths.prefix - 1,
            dtype="int16",
            unit="token position in the paragraph, from 0",
            meaning="Position that is attended to.",
        ),
        "attention": number(
            0,
            1.000001,
            dtype="float32",
            unit="share of the attention of the first decoded token",
            meaning="Attention that the head pays to it.",
        ),
    }


def attention_entropy(lengths: Lengths) -> Columns:
    return {
        "id": PARAGRAPH,
        "layer": LAYER,
        "head": HEAD,
        "entropy": number(
            0, unit="nats", meaning="Entropy of the head's attention at the first decoded token."
        ),
    }
