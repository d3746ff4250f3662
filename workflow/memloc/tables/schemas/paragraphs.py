"""Paragraphs, their places in the text, and paragraphs that the filters leave out."""

from memloc.tables.columns import ONE_PARAGRAPH, Column, Columns, Lengths, integer, token_list, words


def paragraphs(lengths: Lengths) -> Columns:
    def occurrences(of: str, meaning: str) -> Column:
        unit = f"occurrences {of}in the training stream"
        return integer(0, dtype="Int64", nullable=True, unit=unit, meaning=meaning)

    return {
        "id": ONE_PARAGRAPH,
        "count": integer(0, unit="occurrences in the corpus", meaning="Occurrences of the paragraph."),
        "cut_count": occurrences(
            "",
            meaning="Occurrences that the end of a training window cuts, which are not in `count`; embedded "
            "text only.",
        ),
        "continuation_count": occurrences(
            "of the continuation ",
            meaning="Occurrences of the continuation, at any offset; missing where they are not counted.",
        ),
        "unseen": Column(
            "bool",
            meaning="The training text does not hold it: a control, or a memory that grew apart from it "
            "(table `grown`).",
        ),
        "package": Column("str", nullable=True, meaning="Package whose docstring it is; embedded text only."),
        "module": Column("str", nullable=True, meaning="Module whose docstring it is; embedded text only."),
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
