"""Which passages of the user's own text the model recites, or nearly recites (not in the paper)."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from memloc.data.sets import without_controls
from memloc.figures.parts.memorized_fraction import said_of_unseen, unseen_recited
from memloc.figures.parts.recited_page import recited_page
from memloc.figures.parts.style import Drawing
from memloc.figures.parts.text_table import MARKS, draw_table, joined_rows, marked, plain, run_texts
from memloc.scoring import near_verbatim
from memloc.scoring.passages import PLACE, nearest_decoded, passages, place, without_neighbours
from memloc.settings.base import Section
from memloc.tables.terms.claims import counted
from memloc.tables.terms.sets import PARTLY, UNSEEN

N_RECITED, N_NEARLY = 10, 6
NEARLY = 5  # most tokens to insert, delete or replace in a continuation that is nearly verbatim
HEADER = (
    "place",
    "count",
    "run",
    "edits",
    "given",
    f"the model's words ({'..'.join(MARKS)}: not in the text)",
)
WIDTHS = (20, 7, 6, 6, 46, 46)
COLUMNS = [
    *PLACE,
    *("line", "end", "n_windows", "verbatim_run", "id", "count", "em", "nll", "n_edits", "longest_run"),
    *("text", "prefix", "continuation", "decoded"),
]


def draw(tables: dict[str, pd.DataFrame], settings: Section, model: str = "unnamed") -> Drawing:
    """Recited passages, then nearly recited ones; the CSV holds all of both, at every place, and the page
    shows them. Differences from the text are marked. Without any passage, the nearest paragraph is shown.
    """
    length, n_prefix = settings.paragraph.length, settings.paragraph.prefix
    every = tables["near_verbatim"]
    decoded = without_controls(every)
    near = decoded[decoded["n_edits"] <= NEARLY]
    vocabulary = tables["vocabulary"].set_index("token")["text"]
    data = recited_passages(near, tables, length, n_prefix)
    data["text"] = joined_rows(data["tokens"], vocabulary)
    exact, once = data["n_edits"] == 0, ~data.duplicated("text")
    recited, nearly = data[exact & once], data[~exact & once]
    shown = pd.concat([recited.head(N_RECITED), nearly.head(N_NEARLY)])
    of = [f"{min(len(recited), N_RECITED)} longest of {len(recited):,} recited"] if len(recited) else []
    of += [f"{min(len(nearly), N_NEARLY)} nearest of {len(nearly):,} nearly recited"] if len(nearly) else []
    nearest = data[:0]
    if data.empty and len(decoded):
        first = nearest_decoded(decoded, tables["places"]).id
        nearest = recited_passages(decoded[decoded["id"] == first], tables, length, n_prefix).head(1)
    em = tables["scores"].merge(without_controls(tables["sets"])[["id"]], on="id")["em"]
    n_recited, n_passages = int((near["n_edits"] == 0).sum()), int(exact.sum())
    said = f"{n_recited:,} of {len(em):,} paragraphs of {length} tokens are recited word for word"
    said += f", in {counted(n_passages, 'passage')}." if n_recited else "."
    said += " Shown is the nearest one that was decoded." * len(nearest)
    told = [f"Model: {model}.", said]
    above = " ".join([*told, *([f"Shown, each text once: {', '.join(of)}."] if of else [])])
    figure = _draw_passages(pd.concat([shown, nearest]), vocabulary, above)
    page = recited_page(told, pd.concat([data, nearest]), vocabulary, length, n_prefix)
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
    """Every passage as `passages` has it, with tokens `prefix`, `continuation` and `decoded` of its window.

    Fewest edits come first (recited passages have none), then the longest runs, then the largest counts.
    """
    windows = tables["places"].merge(near.rename(columns={"continuation": "decoded"}), on="id")
    windows = windows.merge(tables["paragraphs"], on="id").merge(tables["scores"], on="id")
    windows["prefix"] = [tokens[:n_prefix] for tokens in windows["tokens"]]
    windows["continuation"] = [tokens[n_prefix:] for tokens in windows["tokens"]]
    windows = without_neighbours(windows.sort_values(PLACE, ignore_index=True), length)
    order = ["n_edits", "verbatim_run", "count", *PLACE]
    ascending = [True, False, False, True, True, True]
    return passages(windows, length, n_prefix).sort_values(order, ascending=ascending, ignore_index=True)


def _nearly(near: pd.DataFrame, sets: Sequence[str]) -> tuple[int, int]:
    """How many paragraphs of some sets were decoded, and how many of these nearly match."""
    n_edits = near.loc[near["set"].isin(sets), "n_edits"]
    return len(n_edits), int(((n_edits > 0) & (n_edits <= NEARLY)).sum())


def _draw_passages(shown: pd.DataFrame, vocabulary: pd.Series, above: str) -> Figure:
    """A row about all passages, then a row for each: one window, with the model's differences marked."""
    rows = [["", "", "", "", "", above]]
    for row in shown.rename(columns={"count": "n_occurrences"}).itertuples():
        wrote = near_verbatim.marked(list(row.decoded), list(row.continuation))
        runs, differ = zip(*wrote, strict=True)
        given, *texts = run_texts([row.prefix, *runs], vocabulary, row.start == 0, differ[-1])
        words = (
            marked(text) if differs else plain(text) for text, differs in zip(texts, differ, strict=True)
        )
        where = place(row._replace(file=Path(row.file).name))
        numbers = (f"{row.n_occurrences:,}", str(row.verbatim_run), str(row.n_edits))
        rows.append([plain(where), *numbers, plain(given), "".join(words)])
    return draw_table(HEADER, rows, WIDTHS)
