"""Paragraphs, their places in the text, and paragraphs that the filters leave out."""

from memloc.tables.columns import ONE_PARAGRAPH, Column, Columns, Lengths, integer, token_list, words


def paragraphs(lengths: Lengths) -> Columns:
    def occurrences(*, meaning: str) -> Column:
        unit = "occurrences in the training text"
        return integer(0, nullable=True, unit=unit, meaning=meaning)

    return {
        "id": ONE_PARAGRAPH,
        "count": integer(
            0,
            unit="occurrences in the corpus",
            meaning="Occurrences of the paragraph, at any offset in the training text.",
        ),
        "whole_count": occurrences(
            meaning="Those that lie whole in one training window; missing without windows."
        ),
        "cut_count": occurrences(
            meaning="Those that the end of a training window cuts; missing without windows."
        ),
        "continuation_count": occurrences(
            meaning="Occurrences of the continuation, at any offset; missing where they are not counted."
        ),
        "near_count": occurrences(
            meaning="Occurrences with at most a tenth of the tokens edited; missing where not counted."
        ),
        "longest_run": integer(
            0,
            lengths.paragraph,
            nullable=True,
            unit="tokens",
            meaning="Longest run that the training text holds, too; missing where none is looked for.",
        ),
        "held_out": Column("bool", meaning="It comes from a file that the model is not trained on."),
        "unseen": Column(
            "bool",
            meaning="The training text holds neither it, nor a near-copy, nor its continuation; or it is a "
            "memory that grew apart from that text (table `grown`).",
        ),
        "file": Column(
            "str",
            nullable=True,
            meaning="File, or module of docstrings, that it was first cut from, if known.",
        ),
        "line": integer(1, nullable=True, unit="from 1", meaning="Line there on which its first token ends."),
        "tokens": token_list(lengths.paragraph, meaning="Tokens of the paragraph."),
        "text": Column("str", meaning="Text of the tokens, to the letter."),
    }


def dropped_paragraphs(lengths: Lengths) -> Columns:
    return {"id": ONE_PARAGRAPH, "reason": words(meaning="Filter that leaves the paragraph out.")}


def dropped_reference(lengths: Lengths) -> Columns:
    return dropped_paragraphs(lengths)


def places(lengths: Lengths) -> Columns:
    return {
        "id": integer(0, meaning="Paragraph."),
        "file": words(meaning="File of text, or module of docstrings."),
        "document": integer(0, unit="from 0", meaning="Number among the documents with text in its file."),
        "start": integer(0, unit="from 0", meaning="Place of its first token in the document."),
        "line": integer(
            1, unit="from 1", meaning="Line of the document's text on which its first token ends."
        ),
    }
