"""The summary of a study: its figures as vectors, in reading order, each with its caption.

Captions are reStructuredText; Typst, which typesets the summary, has a markup of its own.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import jinja2
import typst
from docutils import nodes
from docutils.core import publish_doctree

Chapters = Mapping[str, Sequence[tuple[str, str, str]]]
"""Figures by heading: name, title and section of the paper for each."""
WRAPPED = {nodes.strong: "strong", nodes.emphasis: "emph", nodes.literal: "raw"}


def document(
    template: str, study: str, model: str, headline: Sequence[str], chapters: Chapters, folder: Path
) -> str:
    """The summary in Typst's markup; `folder` holds <name>.pdf and <name>.rst of every figure.

    `headline` holds sentences on the study's findings (`memloc.claims.story`).

    Raises:
        jinja2.UndefinedError: the template names a value that is not given.
        ValueError: a caption holds markup that the summary does not typeset.
    """
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined)
    environment.filters["text"] = text
    names = [name for figures in chapters.values() for name, *_ in figures]
    captions = {name: typst_of((folder / f"{name}.rst").read_text()) for name in names}
    return environment.from_string(template).render(
        study=study, model=model, headline=headline, chapters=chapters, captions=captions
    )


def compiled(source: str, folder: Path) -> bytes:
    """The PDF of a text whose pictures lie in `folder`; the same text gives the same bytes.

    Typst's own fonts are embedded, so that it looks the same everywhere.
    """
    return typst.compile(source.encode(), root=folder, format="pdf", ignore_system_fonts=True, timestamp=0)


def typst_of(caption: str) -> str:
    """A caption's paragraphs and lists in Typst's markup, with strong, emphasised and literal text.

    Raises:
        ValueError: the caption holds another kind of markup.
    """
    document = publish_doctree(caption, settings_overrides={"report_level": 5})
    return "\n\n".join(_block(node) for node in document.children)


def text(value: str) -> str:
    """Typst's markup for a text that is shown as it is."""
    return f"#{json.dumps(value, ensure_ascii=False)};"


def _block(node: nodes.Node) -> str:
    if isinstance(node, nodes.paragraph):
        return "".join(_inline(child) for child in node.children)
    if isinstance(node, nodes.bullet_list):
        return "\n".join(f"- {_block(child)}" for item in node.children for child in item.children)
    raise ValueError(f"a caption holds {node.tagname}, which the summary does not typeset")


def _inline(node: nodes.Node) -> str:
    if isinstance(node, nodes.Text):
        return text(node.astext().replace("\n", " "))
    for kind, function in WRAPPED.items():
        if isinstance(node, kind):
            return f"#{function}({json.dumps(node.astext(), ensure_ascii=False)});"
    raise ValueError(f"a caption holds {node.tagname}, which the summary does not typeset")
