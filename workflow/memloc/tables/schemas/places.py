"""Where the paragraphs of the user's own text, or rows of a list of tokens, stand."""

from memloc.tables.columns import PARAGRAPH, Columns, integer, words
from memloc.tables.schema import Lengths

LINE = "Line of the document's text on which its first token ends."


def places(lengths: Lengths) -> Columns:
    return {
        "id": PARAGRAPH,
        "file": words(meaning="File of text."),
        "document": integer(0, unit="from 0", meaning="Document with text in its file."),
        "start": integer(0, unit="from 0", meaning="First token in the document."),
        "line": integer(1, unit="from 1", meaning=LINE),
    }
