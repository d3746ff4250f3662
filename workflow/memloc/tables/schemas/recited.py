"""Passages of the text that the model recites, and the text that was looked at (not in the paper)."""

from memloc.tables.columns import Column, Columns, Lengths, integer, words
from memloc.tables.schemas.paragraphs import places

_OFFSET = {"low": 0, "nullable": True, "unit": "from 0"}
_UNSEEN = Column("bool", meaning="Text that the model cannot have seen.")


def recited(lengths: Lengths) -> Columns:
    place = places(lengths)
    return {
        "unseen": _UNSEEN,
        "file": place["file"],
        "document": place["document"],
        "line": integer(1, unit="from 1", meaning="Line of the document on which the passage begins."),
        "start": integer(
            0, unit="from 0", meaning="Its first token in the document, which follows its prefix."
        ),
        "end": integer(0, unit="from 0", meaning="Token that follows it."),
        "first_character": integer(
            **_OFFSET,
            meaning="Its first character in the document, with line ends of one character; missing where "
            "paragraphs are given.",
        ),
        "end_character": integer(**_OFFSET, meaning="Character that follows it."),
        "at_once": integer(1, unit="tokens", meaning="Its first tokens that come out in one go."),
        "count": integer(
            0, unit="occurrences", meaning="Occurrences of its first continuation in all of the given text."
        ),
        "prefix": words(meaning="Text that the model is given."),
        "continuation": words(meaning="Text of the passage."),
    }


def texts(lengths: Lengths) -> Columns:
    return {
        "unseen": _UNSEEN,
        "n_files": integer(1, meaning="Files."),
        "n_documents": integer(1, meaning="Documents."),
        "n_short": integer(0, meaning="Documents that are too short: they hold no paragraph."),
        "n_tokens": integer(0, unit="tokens", meaning="Tokens behind a prefix in the other documents."),
        "n_recited": integer(0, unit="tokens", meaning="Those of them in passages."),
    }
