"""The page before a paragraph is opened: the study, its paragraphs, colourings, maps and tabs."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from memloc.explorer import maps, tokens
from memloc.explorer.json_values import described
from memloc.explorer.selection import SCORES, cloud, paragraph_rows
from memloc.figures.parts.perturbation_example import example_ids
from memloc.figures.parts.style import COLOURS, set_labels
from memloc.localization.highlight import highlighted_head
from memloc.settings.base import Section
from memloc.tables.terms.head_ranking import PAPER_METHODS
from memloc.tables.terms.sets import HELD_OUT, UNSEEN, bins
from memloc.tables.terms.words import WORDS

Tables = Mapping[str, pd.DataFrame]
SETS = ("memorized", "partly_30_49", "partly_11_29", "non_memorized", UNSEEN, HELD_OUT)


def index_of(
    ids: list[int], tables: Tables, settings: Section, shape: tokens.Shape, titles: Mapping[str, str]
) -> dict[str, Any]:
    """Index of the page of the paragraphs `ids`; `titles` maps keys of tabs to their titles."""
    labels = set_labels(settings)
    sizes = tables["sets"]["set"].value_counts()
    return {
        **vars(shape),
        "interest": _interest(tables, settings) if "head_ranking" in tables else None,
        "sets": [
            {"key": name, "label": labels[name], "colour": COLOURS[name], "n": int(sizes[name])}
            for name in SETS
            if name in sizes
        ],
        "exact": {key: [em.start, em.stop - 1] for key, em in bins(settings.paragraph.continuation).items()},
        "scores": [{"key": key, "label": label} for key, label in SCORES.items()],
        "paragraphs": paragraph_rows(ids, tables),
        "example": _example(ids, tables),
        "n_paragraphs": len(tables["sets"]),
        "cloud": cloud(tables["scores"]),
        "colourings": described(tokens.COLOURINGS, tables),
        "maps": described(maps.MAPS, tables),
        "tabs": [{"key": key, "title": title} for key, title in titles.items()],
        "words": WORDS,
    }


def _interest(tables: Tables, settings: Section) -> dict[str, Any]:
    """The head of interest, and why it is."""
    layer, head = highlighted_head(dict(tables), settings)
    ranking = tables["head_ranking"]
    first = ranking[(ranking["rank"] == 1) & ranking["method"].isin(PAPER_METHODS)]
    n_first = len(first[["layer", "head"]].drop_duplicates())
    why = "first on average by the paper's methods"
    why += f", which put {n_first} different heads first" * (n_first > 1)
    return {"layer": layer, "head": head, "why": "named in the settings" if settings.highlight else why}


def _example(ids: list[int], tables: Tables) -> int | None:
    """The paragraph that the page opens at: by the rule of Figure 3, of those on the page."""
    if "perturbation" not in tables:
        return next(iter(ids), None)
    rows = tables["perturbation"]
    return next(iter(example_ids({**tables, "perturbation": rows[rows["id"].isin(ids)]}) or ids), None)
