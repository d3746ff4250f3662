"""Captions, which are reStructuredText, as markup of Typst, which typesets the summary."""

import json

from docutils import nodes
from docutils.core import publish_doctree

WRAPPED = {nodes.strong: "strong", nodes.emphasis: "emph", nodes.literal: "raw"}


def typst_of(caption: str) -> str:
    """A caption's paragraphs and lists, with what is strong, emphasised or literal.

    Raises:
        ValueError: the caption holds another kind of markup.
    """
    document = publish_doctree(caption, settings_overrides={"report_level": 5})
    return "\n\n".join(_block(node) for node in document.children)


def text(value: str) -> str:
    """Text to the letter, whatever characters are in it."""
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
