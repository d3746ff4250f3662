"""The answer in lines for a reader, from the finished study: which parts of the text the model recites."""

from pathlib import Path

import pandas as pd

from memloc.scoring.passages import place, told
from memloc.tables.study import open_study

N_LONGEST = 5
N_CHARACTERS = 70  # of what is quoted of a prefix or a continuation


def answer(results: Path) -> str:
    """The answer that the study in the folder `results` gives, and where its page is."""
    study = open_study(results)
    recited, texts = study.table("recited"), study.table("texts")
    lengths = texts.attrs["provenance"]["paragraph"]
    said = told(recited, texts, lengths["length"], lengths["prefix"])
    return "\n".join([*said, *longest(recited), f"Page: {results / 'figures/recited.html'}"])


def longest(recited: pd.DataFrame) -> list[str]:
    """Place, given and recited text of the longest passages; the number of the others."""
    recited = recited.assign(tokens=recited["end"] - recited["start"])
    lines = []
    for row in recited.sort_values("tokens", ascending=False, kind="stable").head(N_LONGEST).itertuples():
        given, wrote = (" ".join(text.split()) for text in (row.prefix, row.continuation))
        lines.append(f"  {row.tokens} tokens, {place(row)}")
        lines.append(f"    given    \u2026{given[-N_CHARACTERS:]!r}")
        lines.append(f"    recited  {wrote[:N_CHARACTERS]!r}\u2026")
    rest = len(recited) - N_LONGEST
    return [*lines, f"  and {rest} more, on the page"] if rest > 0 else lines
