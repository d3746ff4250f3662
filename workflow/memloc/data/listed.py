"""Memorized paragraphs that a section of the settings lists, by number or by their text."""

from collections.abc import Iterable

import pandas as pd

from memloc.data.documents import documents
from memloc.run.errors import InputError
from memloc.settings.remove import Listed

FIELD = "text"  # key or column of listed files that holds the text


def listed_ids(
    section: str, asked: Listed, files: Iterable[str], paragraphs: pd.DataFrame, sets: pd.DataFrame
) -> list[int]:
    """Ids of the memorized paragraphs that a section lists; empty where it lists none.

    Args:
        section: its name, for errors.
        files: paths of the files that `asked.files` names.

    Raises:
        InputError: an id belongs to no memorized paragraph, or a text holds none.
    """
    memorized = sets.loc[sets["set"] == "memorized", "id"]
    if unknown := sorted(set(asked.ids) - set(memorized)):
        raise InputError(f"{section}.ids: not memorized paragraphs of this study: {unknown}")
    texts = paragraphs.set_index("id")["text"].loc[memorized].str.strip()
    found = set(asked.ids)
    for file in files:
        for number, document in enumerate(documents(file, FIELD), start=1):
            held = [name for name, text in texts.items() if text in document]
            if not held:
                raise InputError(
                    f"{section}.files: {file}, text {number}: no memorized paragraph of this study is in it; "
                    "take it out, or have it among the paragraphs of `data`"
                )
            found.update(held)
    return list(asked.ids) or sorted(found)
