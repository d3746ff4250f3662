"""The answer in lines for a reader, from the finished study: which parts of the text the model recites."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from memloc.scoring.passages import nearest_decoded, place
from memloc.tables.study import open_study
from memloc.tables.terms.claims import counted

N_LONGEST = 5
N_CHARACTERS = 70  # of what is quoted of a prefix or a continuation


def answer(results: Path) -> str:
    """The answer that the study in the folder `results` gives, and where its page is."""
    study = open_study(results)
    names = ("dropped_paragraphs", "scores", "places", "near_verbatim", "recited")
    tables = {name: study.table(name) for name in names}
    lengths = tables["scores"].attrs["provenance"]["paragraph"]
    return f"{told(tables, lengths['length'], lengths['prefix'])}\nPage: {results / 'figures/recited.html'}"


def told(tables: Mapping[str, pd.DataFrame], length: int, n_prefix: int) -> str:
    """Number of recited paragraphs, and the longest passages with their places.

    If no paragraph is recited, the nearest one is named, as in the figure.
    """
    n_continuation, recited, scores = length - n_prefix, tables["recited"], tables["scores"]
    n_recited = int((scores["em"] == n_continuation).sum())
    lines = [
        f"The model recites {n_recited} of {len(scores)} paragraphs of {length} tokens: given the first "
        f"{n_prefix}, it goes on with exactly the other {n_continuation}.",
        *_longest(recited[recited["n_edits"] == 0]),
    ]
    for reason, n in tables["dropped_paragraphs"].groupby("reason").size().items():
        lines.append(f"Paragraphs that were left out ({reason}): {n}.")
    decoded = tables["near_verbatim"]
    if not n_recited and len(decoded):
        best = nearest_decoded(decoded, tables["places"]) if recited.empty else next(recited.itertuples())
        edits = counted(best.n_edits, "edit")
        lines.append(f"The nearest is {edits} (tokens added, cut or replaced) from the text: {place(best)}")
        if best.n_edits > n_continuation / 2:
            lines.append(f"Nothing comes close: more than half of these {n_continuation} tokens differ.")
    if nearly := int((recited["n_edits"] > 0).sum()):
        lines.append(f"Passages that come out with a few edits: {nearly}.")
    return "\n".join(lines)


def _longest(recited: pd.DataFrame) -> list[str]:
    """Place, given and recited text of the longest passages, which come first; the number of the others."""
    lines = []
    for row in recited.head(N_LONGEST).itertuples():
        # An ellipsis stands for a word that may be cut at an end. A word may also be cut between the texts.
        cut = " (begins within a word)" * (row.prefix[-1:] + row.continuation[:1]).isalnum()
        given = f"\u2026 {' '.join(row.prefix.split())[-N_CHARACTERS:].split(' ', 1)[-1]}"
        wrote = f"{' '.join(row.continuation.split())[:N_CHARACTERS].rsplit(' ', 1)[0]} \u2026"
        lines.append(f"  {row.verbatim_run} tokens, {place(row)}")
        lines.append(f"    given    {given!r}\n    recited  {wrote!r}{cut}")
    rest = len(recited) - N_LONGEST
    return [*lines, f"  and {rest} more, on the page"] if rest > 0 else lines
