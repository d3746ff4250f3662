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
from memloc.tables.terms.sets import HELD_OUT, UNSEEN, bins
from memloc.tables.terms.words import WORDS

Tables = Mapping[str, pd.DataFrame]
ORDER = ("memorized", "partly_30_49", "partly_11_29", "non_memorized", UNSEEN, HELD_OUT)


def index_of(
    ids: list[int], tables: Tables, settings: Section, shape: tokens.Shape, titles: Mapping[str, str]
) -> dict[str, Any]:
    """Index of the page of the paragraphs `ids`; `titles` maps keys of tabs to their titles."""
    labels = set_labels(settings)
    sizes = tables["sets"]["set"].value_counts()
    interest = None
    if "head_ranking" in tables:
        interest = dict(zip(("layer", "head"), highlighted_head(dict(tables), settings), strict=True))
    return {
        "n_tokens": shape.n_tokens,
        "n_prefix": shape.n_prefix,
        "n_layers": shape.n_layers,
        "n_heads": shape.n_heads,
        "head": interest or {"layer": 0, "head": 0},
        "interest": interest,
        "ranked": not settings.highlight,
        "sets": [
            {"key": name, "label": labels[name], "colour": COLOURS[name], "n": int(sizes[name])}
            for name in ORDER
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


def _example(ids: list[int], tables: Tables) -> int | None:
    """The paragraph that the page opens at: the example of Figure 3, or the next one that is on the page."""
    if "perturbation" not in tables:
        return next(iter(ids), None)
    rows = tables["perturbation"]
    return next(iter(example_ids({**tables, "perturbation": rows[rows["id"].isin(ids)]}) or ids), None)
