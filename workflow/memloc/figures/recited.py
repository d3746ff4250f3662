"""Which paragraphs of the user's own text the model recites, or nearly recites (not in the paper)."""

from collections.abc import Sequence

import pandas as pd
from matplotlib.figure import Figure

from memloc.data.sets import without_controls
from memloc.figures.parts.memorized_fraction import said_of_unseen, unseen_recited
from memloc.figures.parts.style import COLOURS, Drawing
from memloc.figures.parts.text_table import Piece, draw_table, join_tokens, joined_rows
from memloc.scoring.near_verbatim import marked
from memloc.settings.base import Section
from memloc.tables.terms.sets import PARTLY, UNSEEN

N_RECITED, N_NEARLY = 10, 6
HEADER = ("id", "count", "edits", "prefix", "what the model goes on with")
WIDTHS = (7, 7, 6, 52, 52)
LEFT_OUT = "\u2026"


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """Recited paragraphs, then nearly recited ones, those that repeat most in the text first; the CSV holds
    all of both. What differs from the true text is marked.
    """
    n_prefix, most = settings.paragraph.prefix, settings.recited.n_edits
    every = tables["near_verbatim"]
    near = without_controls(every)
    vocabulary = tables["vocabulary"].set_index("token")["text"]
    data = recited_paragraphs(near[near["n_edits"] <= most], tables, n_prefix)
    exact = data["n_edits"] == 0
    shown = pd.concat([data[exact].head(N_RECITED), data[~exact].head(N_NEARLY)])
    figure = _draw_paragraphs(shown, vocabulary)
    for name in ("prefix", "continuation", "decoded"):
        data[name] = joined_rows(data[name], vocabulary)
    em = tables["scores"].merge(without_controls(tables["sets"])[["id"]], on="id")["em"]
    numbers = {
        "n_recited": int(exact.sum()),
        "n_nearly": int((~exact).sum()),
        "n_shown": len(shown),
        "n_edits": most,
        "partly": _nearly(every, PARTLY, most),
        "others": _nearly(every, ["non_memorized"], most),
        "unseen_decoded": _nearly(every, [UNSEEN], most),
        "n_paragraphs": len(em),
        "max_em": int(em.max()),
        "n_prefix": n_prefix,
        "n_continuation": settings.paragraph.continuation,
    }
    return Drawing(figure, data, numbers | {"unseen": said_of_unseen(unseen_recited(tables, settings))})


def recited_paragraphs(near: pd.DataFrame, tables: dict[str, pd.DataFrame], n_prefix: int) -> pd.DataFrame:
    """Id, count, em, nll, n_edits, longest_run and the tokens of prefix, true and decoded continuation.

    Fewest edits first, then the largest counts.
    """
    near = near.rename(columns={"continuation": "decoded"})
    data = near.merge(tables["paragraphs"], on="id").merge(tables["scores"], on="id")
    data["prefix"] = [tokens[:n_prefix] for tokens in data["tokens"]]
    data["continuation"] = [tokens[n_prefix:] for tokens in data["tokens"]]
    data = data.assign(nearly=data["n_edits"] > 0)
    data = data.sort_values(["nearly", "count", "id"], ascending=[True, False, True], ignore_index=True)
    columns = ["id", "count", "em", "nll", "n_edits", "longest_run", "prefix", "continuation", "decoded"]
    return data[columns]


def _nearly(near: pd.DataFrame, sets: Sequence[str], most: int) -> tuple[int, int]:
    """How many paragraphs of some sets were decoded, and how many of these nearly match."""
    n_edits = near.loc[near["set"].isin(sets), "n_edits"]
    return len(n_edits), int(((n_edits > 0) & (n_edits <= most)).sum())


def _draw_paragraphs(shown: pd.DataFrame, vocabulary: pd.Series) -> Figure:
    """A row per paragraph; in what the model wrote, marks stand where it differs from the true text."""
    colour = COLOURS["memorized"]
    rows = [
        [
            [(str(row.id), "black")],
            [(f"{row.n_occurrences:,}", "black")],
            [(str(row.n_edits), "black")],
            [(join_tokens(row.prefix, vocabulary), "black")],
            [
                Piece(join_tokens(tokens, vocabulary) or LEFT_OUT, colour, differs)
                for tokens, differs in marked(list(row.decoded), list(row.continuation))
            ],
        ]
        for row in shown.rename(columns={"count": "n_occurrences"}).itertuples()
    ]
    return draw_table(HEADER, rows, WIDTHS)
