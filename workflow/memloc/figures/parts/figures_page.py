"""All figures of a study with their captions on one page, which opens from disk and can be printed."""

import re
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd
from docutils.core import publish_parts

from memloc.figures.catalog import FigureInfo
from memloc.tables.terms.claims import ERROR, NOT_APPLICABLE, counted, measured
from memloc.tables.terms.words import WORDS

# A word of `WORDS`, the longest that fits, in any form: "recites", "held-out".
FORMS = {
    word: re.escape(word.lower()).replace(r"\ ", "[ -]") for word in sorted(WORDS, key=len, reverse=True)
}
WORD = re.compile(rf"(?i)\b(?:{'|'.join(f'({form})' for form in FORMS.values())})(?:s|d)?\b")
STANDS_BEFORE = {  # of `paragraph.before`
    "none": "",
    "end_of_text": "An end-of-text token stands before every prefix.",
    "bos": "A beginning-of-sequence token stands before every prefix.",
}
TABLE = "(?s)<table.*</table>"
# A caption asks for no other file.
OF_CAPTIONS = {"file_insertion_enabled": False, "raw_enabled": False, "doctitle_xform": False}


def figures_page(
    template: str,
    chapters: Mapping[str, Sequence[FigureInfo]],
    folder: Path,
    claims: pd.DataFrame,
    before: str,
    **told: Any,
) -> str:
    """The page as HTML; it shows files of `folder`, and lies beside that.

    Args:
        template: the page with Jinja expressions.
        chapters: figures by heading, in the order of the page.
        folder: holds <name>.png and the caption <name>.rst of each figure. A table on its page <name>.html
            stands in the place of the picture.
        claims: rows of table `claims`; those that do not apply are not shown.
        before: setting `paragraph.before`.
        told: what else the template names.

    Raises:
        jinja2.UndefinedError: the template names a value that is not given.
    """
    shown = [figure for figures in chapters.values() for figure in figures]
    captions = {each.name: (folder / f"{each.name}.rst").read_text() for each in shown}
    captions = {name: with_words(caption_html(caption)) for name, caption in captions.items()}
    pages = {each.name: (folder / f"{each.name}.html").read_text() for each in shown if each.page}
    tables = {name: found[0] for name, page in pages.items() if (found := re.search(TABLE, page))}
    judged = [_judged(claim) for claim in claims.itertuples() if claim.verdict != NOT_APPLICABLE]
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    return environment.from_string(template).render(
        chapters=chapters,
        captions=captions,
        tables=tables,
        folder=folder.name,
        claims=judged,
        before=STANDS_BEFORE[before],
        words=[(word_id(word), word, WORDS[word]) for word in sorted(WORDS, key=str.lower)],
        **told,
    )


def caption_html(caption: str) -> str:
    """A caption (reStructuredText) as HTML."""
    return publish_parts(caption, writer="html5", settings_overrides=OF_CAPTIONS)["body"]


def with_words(html: str) -> str:
    """A caption (HTML) in which each word of `WORDS` is linked to its meaning where it stands first."""
    linked = set()

    def link(found: re.Match) -> str:
        word = [*FORMS][found.lastindex - 1]
        if word in linked:
            return found[0]
        linked.add(word)
        return f'<a class="word" href="#{word_id(word)}" title="{escape(WORDS[word])}">{found[0]}</a>'

    pieces = re.split(r"(<[^>]+>)", html)  # tags are every second one
    return "".join(piece if place % 2 else WORD.sub(link, piece) for place, piece in enumerate(pieces))


def word_id(word: str) -> str:
    """The place of a word on the page."""
    return f"word-{word.lower().replace(' ', '-')}"


def _judged(claim: Any) -> dict[str, str]:
    """What the page says of a claim."""
    found = ""
    if claim.verdict != ERROR:
        value = measured(claim.value, claim.low, claim.high, claim.scale, claim.quantity)
        found = f"{value}; n = {counted(claim.n, claim.unit)}"
    return {
        "topic": claim.topic.replace("_", " ").capitalize(),
        "statement": f"{claim.statement} ({claim.work}, {claim.section})",
        "measured": found,
        "verdict": claim.verdict,
        "reason": claim.reason,
    }
