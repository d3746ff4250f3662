"""The summary of a study: its figures as vectors, in reading order, each with its caption."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import jinja2
import typst

from memloc.summary.markup import text, typst_of


@dataclass(frozen=True)
class Chapter:
    """Figures under a heading: name, title and section of the paper of each."""

    title: str
    figures: Sequence[tuple[str, str, str]]


def document(
    template: str, study: str, model: str, headline: Sequence[str], chapters: Sequence[Chapter], folder: Path
) -> str:
    """The summary as a text of Typst; `folder` holds <name>.pdf and <name>.rst of every figure.

    `headline` says what the study found, a sentence each (`memloc.claims.story`).

    Raises:
        jinja2.UndefinedError: the template names what is not there.
        ValueError: a caption holds markup that the summary does not typeset.
    """
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined)
    environment.filters["text"] = text
    captions = {
        name: typst_of((folder / f"{name}.rst").read_text())
        for chapter in chapters
        for name, *_ in chapter.figures
    }
    return environment.from_string(template).render(
        study=study, model=model, headline=headline, chapters=chapters, captions=captions
    )


def compiled(source: str, folder: Path) -> bytes:
    """The PDF of a text whose pictures lie in `folder`; the same text gives the same bytes.

    It takes the fonts that Typst brings along and embeds them, so that it looks the same everywhere.
    """
    return typst.compile(source.encode(), root=folder, format="pdf", ignore_system_fonts=True, timestamp=0)
