"""What of the text the model recites, in lines for a reader: from the tables of the finished study."""

from pathlib import Path

import pandas as pd

from memloc.data.sets import without_controls
from memloc.tables.study import open_study
from memloc.tables.terms.sets import UNSEEN

N_LONGEST = 5
N_CHARACTERS = 70  # of a passage that is quoted


def answer(results: Path) -> str:
    """How many paragraphs are recited, the longest passages with their places, or else how near the best
    paragraph comes; what unseen text says; where the page is.
    """
    study = open_study(results)
    sets, scores = study.table("sets", ["id", "set"]), study.table("scores", ["id", "em"])
    lengths = scores.attrs["provenance"]["paragraph"]
    n_continuation = lengths["length"] - lengths["prefix"]
    em = scores.merge(sets, on="id")
    own, unseen = without_controls(em), em[em["set"] == UNSEEN]
    n_recited = int((own["em"] == n_continuation).sum())
    passages = study.table("recited")
    lines = [
        f"The model recites {n_recited} of {len(own)} paragraphs of {lengths['length']} tokens: given the "
        f"first {lengths['prefix']}, it goes on with exactly the other {n_continuation}.",
        *_longest(passages[passages["n_edits"] == 0]),
    ]
    if not n_recited:
        lines += _nearest(own, study.table("places"), n_continuation)
    if nearly := int((passages["n_edits"] > 0).sum()):
        lines += [f"Passages that come out with a few edits: {nearly}."]
    if len(unseen):
        n = int((unseen["em"] == n_continuation).sum())
        lines += [f"Of {len(unseen)} paragraphs of unseen text, it recites {n}."]
    page = results / "figures/recited.html"
    return "\n".join([*lines, f"Page: {page}"])


def _place(row: pd.Series) -> str:
    return f"{row['file']}, document {row['document']}, token {row['start']}"


def _longest(recited: pd.DataFrame) -> list[str]:
    """The longest of the recited passages, each with its place and how it begins."""
    longest = recited.sort_values(
        ["verbatim_run", "file", "document", "start"], ascending=[False, *[True] * 3]
    )
    return [
        f"  {row['verbatim_run']} tokens of a passage that begins at {_place(row)}: "
        f"{' '.join(row['text'].split())[:N_CHARACTERS]!r}"
        for _, row in longest.head(N_LONGEST).iterrows()
    ]


def _nearest(own: pd.DataFrame, places: pd.DataFrame, n_continuation: int) -> list[str]:
    """The paragraph with the most tokens right before the first mistake."""
    best = own.sort_values(["em", "id"], ascending=[False, True]).head(1)
    (row,) = (row for _, row in best.merge(places, on="id").head(1).iterrows())
    return [
        f"The best has {row['em']} of {n_continuation} tokens right before its first mistake: {_place(row)}"
    ]
