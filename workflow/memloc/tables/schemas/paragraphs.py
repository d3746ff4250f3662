"""Paragraphs, and those that the filters leave out."""

from memloc.tables.columns import Column, Columns, integer, token_list, words
from memloc.tables.schema import Lengths


def paragraphs(lengths: Lengths) -> Columns:
    return {
        "id": integer(0, unique=True, meaning="Paragraph."),
        "count": integer(0, unit="occurrences in the corpus", meaning="How often the paragraph occurs."),
        "cut_count": integer(
            0,
            dtype="Int64",
            nullable=True,
            unit="occurrences in the training stream",
            meaning="Occurrences that the end of a training window cuts, which are not in `count`; embedded "
            "text only.",
        ),
        "continuation_count": integer(
            0,
            dtype="Int64",
            nullable=True,
            unit="occurrences of the continuation in the training stream",
            meaning="How often the continuation occurs, at any offset; missing where it is not counted.",
        ),
        "unseen": Column("bool", meaning="A control that the training text does not hold."),
        "package": Column("str", nullable=True, meaning="Package whose docstring it is; embedded text only."),
        "module": Column(
            "str",
            nullable=True,
            meaning="Text that it comes from: module of the docstring, or documents "
            "whose paragraphs overlap.",
        ),
        "tokens": token_list(lengths.paragraph, meaning="Tokens of the paragraph."),
        "text": Column("str", meaning="Text of the tokens, to the letter."),
    }


def dropped_paragraphs(lengths: Lengths) -> Columns:
    return {
        "id": integer(0, unique=True, meaning="Paragraph."),
        "reason": words(meaning="Which filter leaves the paragraph out."),
    }


def dropped_reference(lengths: Lengths) -> Columns:
    return dropped_paragraphs(lengths)
