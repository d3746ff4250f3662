"""Which passages of the text the model recites word for word (not in the paper)."""

from pathlib import Path

import pandas as pd

from memloc.figures.parts.recited_page import like_passages, longest_first, recited_page
from memloc.figures.parts.style import Drawing
from memloc.figures.parts.text_table import draw_table, plain
from memloc.scoring.passages import place, told
from memloc.settings.base import Section

N_SHOWN, N_CHARACTERS = 10, 200
HEADER = ("place", "count", "tokens", "given", "recited")
WIDTHS = (34, 6, 7, 43, 43)  # most names of files fit without a break


def draw(tables: dict[str, pd.DataFrame], settings: Section, model: str = "unnamed") -> Drawing:
    """The longest passages, one of those that are alike; the page shows more of them, and the CSV has all."""
    data = longest_first(tables["recited"])
    said = told(data, tables["texts"], settings.paragraph.length, settings.paragraph.prefix)
    above = [f"Model: {model}.", *said]
    seen = data[~data["unseen"]].rename(columns={"count": "n_occurrences"})
    rows = []
    for row in (next(group.itertuples()) for group in like_passages(seen)[:N_SHOWN]):
        where = place(row._replace(file=Path(row.file).name))
        given, wrote = row.prefix[-N_CHARACTERS:], row.continuation[:N_CHARACTERS]
        rows.append([plain(where), f"{row.n_occurrences:,}", str(row.tokens), plain(given), plain(wrote)])
    held_out = settings.data.source == "code" and settings.data.held_out > 0
    numbers = {"n_shown": len(rows), "said": " ".join(said), "held_out": held_out}
    return Drawing(draw_table(HEADER, rows, WIDTHS), data, numbers, recited_page(above, data))
