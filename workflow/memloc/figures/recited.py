"""Which passages of the user's own text the model recites, or nearly recites (not in the paper)."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from memloc.data.sets import without_controls
from memloc.figures.parts.memorized_fraction import said_of_unseen, unseen_recited
from memloc.figures.parts.recited_page import LEFT_OUT, recited_page
from memloc.figures.parts.style import COLOURS, Drawing
from memloc.figures.parts.text_table import Piece, draw_table, join_tokens, joined_rows
from memloc.scoring.near_verbatim import marked
from memloc.scoring.passages import PLACE, passages, place, without_neighbours
from memloc.settings.base import Section
from memloc.tables.terms.claims import counted
from memloc.tables.terms.sets import PARTLY, UNSEEN

N_RECITED, N_NEARLY = 10, 6
NEARLY = 5  # most tokens to insert, delete or replace in a continuation that is nearly verbatim
HEADER = ("place", "count", "run", "edits", "prefix", "what the model goes on with")
WIDTHS = (20, 7, 6, 6, 45, 45)
NOTHING, NEAREST = "No paragraph is recited word for word.", " The nearest one that was decoded:"
COLUMNS = [
    *PLACE,
    *("line", "end", "n_windows", "verbatim_run", "id", "count", "em", "nll", "n_edits", "longest_run"),
    *("text", "prefix", "continuation", "decoded"),
]


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """Recited passages, then nearly recited ones; the CSV holds all of both, at every place, and the page
    shows them. What differs from the true text is marked. Where there is none, the nearest one is shown.
    """
    n_prefix = settings.paragraph.prefix
    every = tables["near_verbatim"]
    decoded = without_controls(every)
    near = decoded[decoded["n_edits"] <= NEARLY]
    vocabulary = tables["vocabulary"].set_index("token")["text"]
    length = settings.paragraph.length
    data = recited_passages(near, tables, length, n_prefix)
    data["text"] = joined_rows(data["tokens"], vocabulary)
    exact, once = data["n_edits"] == 0, ~data.duplicated("text")
    shown = pd.concat([data[exact & once].head(N_RECITED), data[~exact & once].head(N_NEARLY)])
    nearest = decoded.sort_values(["n_edits", "id"]).head(0 if len(data) else 1)
    nearest = recited_passages(nearest, tables, length, n_prefix).head(1)
    note = "" if exact.any() else NOTHING + (NEAREST if len(nearest) else "")
    figure = _draw_passages(pd.concat([shown, nearest]) if len(nearest) else shown, vocabulary, note)
    em = tables["scores"].merge(without_controls(tables["sets"])[["id"]], on="id")["em"]
    n_recited, n_passages = int((near["n_edits"] == 0).sum()), int(exact.sum())
    said = f"{n_recited:,} of {len(em):,} paragraphs are recited"
    said = f"{said}. {note}" if note else f"{said}, in {counted(n_passages, 'passage')}."
    page = partial(recited_page, said, data if len(data) else nearest, vocabulary, length, n_prefix)
    tokens = ("prefix", "continuation", "decoded")
    data = data.assign(**{name: joined_rows(data[name], vocabulary) for name in tokens})
    numbers = {
        "n_recited": n_recited,
        "n_nearly": int((near["n_edits"] > 0).sum()),
        "n_passages": n_passages,
        "longest": int(data["verbatim_run"].max()) if len(data) else 0,
        "overlap": bool((data["n_windows"] > 1).any()),
        "n_shown": len(shown),
        "n_nearest": int(nearest["n_edits"].sum()) if len(nearest) else None,
        "n_edits": NEARLY,
        "partly": _nearly(every, PARTLY),
        "others": _nearly(every, ["non_memorized"]),
        "unseen_decoded": _nearly(every, [UNSEEN]),
        "n_paragraphs": len(em),
        "max_em": int(em.max()),
        "n_prefix": n_prefix,
        "n_continuation": settings.paragraph.continuation,
    }
    unseen = said_of_unseen(unseen_recited(tables, settings))
    return Drawing(figure, data[COLUMNS], numbers | {"unseen": unseen}, page)


def recited_passages(
    near: pd.DataFrame, tables: dict[str, pd.DataFrame], length: int, n_prefix: int
) -> pd.DataFrame:
    """Every passage as `passages` has it, and `prefix`, `continuation` and `decoded` of its window: tokens.

    Recited ones first, then the longest runs, then the largest counts.
    """
    windows = tables["places"].merge(near.rename(columns={"continuation": "decoded"}), on="id")
    windows = windows.merge(tables["paragraphs"], on="id").merge(tables["scores"], on="id")
    windows["prefix"] = [tokens[:n_prefix] for tokens in windows["tokens"]]
    windows["continuation"] = [tokens[n_prefix:] for tokens in windows["tokens"]]
    windows = without_neighbours(windows.sort_values(PLACE, ignore_index=True), length)
    found = passages(windows, length, n_prefix)
    found = found.assign(nearly=found["n_edits"] > 0).sort_values(
        ["nearly", "verbatim_run", "count", *PLACE], ascending=[True, False, False, True, True, True]
    )
    return found.reset_index(drop=True)


def _nearly(near: pd.DataFrame, sets: Sequence[str]) -> tuple[int, int]:
    """How many paragraphs of some sets were decoded, and how many of these nearly match."""
    n_edits = near.loc[near["set"].isin(sets), "n_edits"]
    return len(n_edits), int(((n_edits > 0) & (n_edits <= NEARLY)).sum())


def _draw_passages(shown: pd.DataFrame, vocabulary: pd.Series, note: str) -> Figure:
    """A row per passage, its window; in what the model wrote, marks stand where it differs from the text.

    Above them stands the note, if there is one.
    """
    colour = COLOURS["memorized"]
    rows = [
        [
            [(place(row._replace(file=Path(row.file).name)), "black")],
            [(f"{row.n_occurrences:,}", "black")],
            [(str(row.verbatim_run), "black")],
            [(str(row.n_edits), "black")],
            [(join_tokens(row.prefix, vocabulary), "black")],
            [
                Piece(join_tokens(tokens, vocabulary) or LEFT_OUT, colour, differs)
                for tokens, differs in marked(list(row.decoded), list(row.continuation))
            ],
        ]
        for row in shown.rename(columns={"count": "n_occurrences"}).itertuples()
    ]
    noted = [[[]] * 4 + [[(note, "black")], []]] if note else []
    return draw_table(HEADER, [*noted, *rows], WIDTHS)
