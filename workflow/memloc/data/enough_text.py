"""Does a text hold a paragraph at all? Asked before any job runs."""

from collections.abc import Sequence
from pathlib import Path

from memloc.data.documents import documents
from memloc.data.text_files import TextError

MOST_CHARACTERS = 2**20  # that are looked at; of a longer text without a paragraph so far, its job decides


def require_paragraph(files: Sequence[str], field: str, folder: str, length: int, key: str) -> None:
    """Look for a document that has the tokens of a paragraph, up to the first one.

    Nothing is asked where tokenizer.json, which is quick to read, is not there or damaged: the job says so.

    Raises:
        TextError: no document has as many tokens; names the files.
    """
    file = Path(folder, "tokenizer.json")
    if not file.is_file():
        return
    from tokenizers import Tokenizer

    try:
        tokenizer = Tokenizer.from_file(str(file))
    except Exception:  # the library raises nothing narrower
        return
    tokenizer.no_truncation()
    looked_at = 0
    for text in (text for path in files for text in documents(path, field)):
        looked_at += len(text)
        start = text[:MOST_CHARACTERS]
        if looked_at > MOST_CHARACTERS or len(tokenizer.encode(start, add_special_tokens=False)) >= length:
            return
    raise TextError(
        f"{key}: no document of {', '.join(files[:5])}{' ..' if len(files) > 5 else ''} has {length} tokens: "
        "give longer text, or set paragraph.length lower"
    )
