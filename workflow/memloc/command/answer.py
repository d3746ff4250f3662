"""The answer in lines for a reader, from the finished study: which parts of the text the model recites."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from memloc.data.sets import without_controls
from memloc.scoring.passages import PLACE, place
from memloc.tables.study import open_study
from memloc.tables.terms.sets import UNSEEN

N_LONGEST = 5
N_CHARACTERS = 70  # of a passage that is quoted


def answer(results: Path) -> str:
    """The answer that the study in the folder `results` gives, and where its page is."""
    study = open_study(results)
    names = ("dropped_paragraphs", "scores", "sets", "places", "recited")
    tables = {name: study.table(name) for name in names}
    lengths = tables["scores"].attrs["provenance"]["paragraph"]
    return f"{told(tables, lengths['length'], lengths['prefix'])}\nPage: {results / 'figures/recited.html'}"


def told(tables: Mapping[str, pd.DataFrame], length: int, n_prefix: int) -> str:
    """How many paragraphs are recited, and the longest passages with their places; if there are none, how
    near the best paragraph comes; how many paragraphs of unseen text.
    """
    n_continuation, recited = length - n_prefix, tables["recited"]
    em = tables["scores"].merge(tables["sets"][["id", "set"]], on="id")
    own, unseen = without_controls(em), em[em["set"] == UNSEEN]
    n_recited = int((own["em"] == n_continuation).sum())
    lines = [
        f"The model recites {n_recited} of {len(own)} paragraphs of {length} tokens: given the first "
        f"{n_prefix}, it goes on with exactly the other {n_continuation}.",
        *_longest(recited[recited["n_edits"] == 0]),
    ]
    for reason, n_dropped in tables["dropped_paragraphs"]["reason"].value_counts().items():
        lines.append(f"Paragraphs that were left out ({reason}): {n_dropped}.")
    if not n_recited:
        best = own.sort_values(["em", "id"], ascending=[False, True]).iloc[0]
        first = next(tables["places"].query("id == @best.id").itertuples())
        right = f"{best['em']} of {n_continuation} tokens right before its first mistake"
        lines.append(f"The best has {right}: {place(first)}")
    if nearly := int((recited["n_edits"] > 0).sum()):
        lines.append(f"Passages that come out with a few edits: {nearly}.")
    if len(unseen):
        n_unseen = int((unseen["em"] == n_continuation).sum())
        lines.append(f"Of {len(unseen)} paragraphs of unseen text, it recites {n_unseen}.")
    return "\n".join(lines)


def _longest(recited: pd.DataFrame) -> list[str]:
    """The longest of the recited passages, each with its place and how it begins, and how many more."""
    longest = recited.sort_values(["verbatim_run", *PLACE], ascending=[False, True, True, True])
    lines = [
        f"  {row.verbatim_run} tokens, {place(row)}: {' '.join(row.text.split())[:N_CHARACTERS]!r}"
        for row in longest.head(N_LONGEST).itertuples()
    ]
    rest = len(longest) - N_LONGEST
    return [*lines, f"  and {rest} more, on the page"] if rest > 0 else lines
