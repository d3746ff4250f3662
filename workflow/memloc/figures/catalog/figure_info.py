"""What is known of a figure before it is drawn."""

from dataclasses import dataclass


@dataclass(frozen=True)
class FigureInfo:
    """One figure (or rendered table); module memloc.figures.<name> draws it."""

    name: str
    title: str
    section: str
    tables: tuple[str, ...]
    settings: tuple[str, ...] = ()
    only_for: str | None = None  # source of data or model, comparison, `models`, `checkpoints`, .. it needs
    paragraphs: tuple[str, ...] = ()  # columns of table paragraphs that the figure needs, which may be long
    shown: str | None = None  # table whose paragraphs are the only ones that it needs
    stored: str | None = None  # table that holds the rows of its CSV
