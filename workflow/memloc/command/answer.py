"""The answer of a finished study: as an object for programs, and in lines for a reader."""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import pandas as pd

from memloc.figures.parts.recited_page import longest_first, recited_page
from memloc.run.atomic import write_text
from memloc.scoring.passages import place, told
from memloc.tables.finished import open_study

N_LONGEST = 5
N_CHARACTERS = 70  # of what is quoted of a prefix or a continuation


def answer_of(results: Path, model: str) -> dict[str, Any]:
    """What a study found of a model: sentences, amounts of text, and passages in order. Writes their page."""
    study = open_study(results)
    recited, texts = study.table("recited"), study.table("texts")
    about, page = texts.attrs["provenance"], results / "figures/recited.html"
    said = told(recited, texts, about["paragraph"]["length"], about["paragraph"]["prefix"])
    write_text(page, recited_page([f"Model: {about['model']['name']}.", *said], longest_first(recited)))
    amounts = texts.assign(share=texts["n_recited"] / texts["n_tokens"].where(texts["n_tokens"] > 0))
    rows = recited.rename(columns={"count": "occurrences"}).assign(place=[*map(place, recited.itertuples())])
    return {
        "model": model,
        "answer": said,
        "texts": _objects(amounts),
        "passages": _objects(rows),
        "page": str(page),
    }


def _objects(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as plain objects; what is missing is None."""
    rows = rows.astype(object)
    return rows.where(rows.notna(), None).to_dict("records")


def compared(answers: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The answers about several models, whose passages say whether no other model recites any of it."""
    document = itemgetter("file", "document")
    found = [{name: [*own] for name, own in groupby(each["passages"], key=document)} for each in answers]
    for number, answer in enumerate(answers if len(answers) > 1 else ()):
        others = [*found[:number], *found[number + 1 :]]
        for passage in answer["passages"]:
            passage["alone"] = not any(_overlaps(passage, other) for other in others)
    return [*answers]


def _overlaps(passage: dict[str, Any], others: dict[tuple[str, int], list[dict[str, Any]]]) -> bool:
    """Whether passages of another model, perhaps of other tokens, have one of a passage's characters."""
    own = others.get((passage["file"], passage["document"]), [])
    at = bisect_right(own, passage["first_character"], key=itemgetter("end_character"))
    return at < len(own) and own[at]["first_character"] < passage["end_character"]


def lines(answers: Sequence[dict[str, Any]]) -> list[str]:
    """The answer about each model for a reader: sentences, the longest passages, and the page."""
    found = []
    for answer in answers:
        found += [f"Model {answer['model']}"] * (len(answers) > 1) + answer["answer"]
        found += _longest(answer["passages"])
        if alone := [passage for passage in answer["passages"] if passage.get("alone")]:
            found += ["No other model recites any of this:", *_longest(alone)]
        found.append(f"Page: {answer['page']}")
    return found


def _longest(passages: Sequence[dict[str, Any]]) -> list[str]:
    """Place, given and recited text of the longest passages; the number of the others."""
    found = []
    for row in sorted(passages, key=lambda row: row["start"] - row["end"])[:N_LONGEST]:
        given, wrote = (" ".join(row[name].split()) for name in ("prefix", "continuation"))
        found.append(f"  {row['end'] - row['start']} tokens, {row['place']}")
        found.append(f"    given    \u2026{given[-N_CHARACTERS:]!r}")
        found.append(f"    recited  {wrote[:N_CHARACTERS]!r}\u2026")
    rest = len(passages) - N_LONGEST
    return [*found, f"  and {rest} more, on the page"] if rest > 0 else found
