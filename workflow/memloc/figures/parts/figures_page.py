"""All figures of a study with their captions on one page, which opens from disk and can be printed."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd
from docutils.core import publish_parts

from memloc.claims.sample_sizes import sample_sizes
from memloc.figures.catalog import FigureInfo
from memloc.run.templates import measured
from memloc.tables.terms.claims import ERROR, NOT_APPLICABLE

# A caption asks for no other file; what it gets wrong is shown where it stands.
OF_CAPTIONS = {"file_insertion_enabled": False, "raw_enabled": False, "doctitle_xform": False}


def figures_page(
    template: str,
    chapters: Mapping[str, Sequence[FigureInfo]],
    folder: Path,
    claims: pd.DataFrame,
    **told: Any,
) -> str:
    """The page as HTML; it shows files of `folder`, and lies beside that.

    Args:
        template: the page with Jinja expressions.
        chapters: figures by heading, in the order of the page.
        folder: holds <name>.png and the caption <name>.rst of each figure.
        claims: rows of table `claims`; those that do not apply are not shown.
        told: what else the template names.

    Raises:
        jinja2.UndefinedError: the template names a value that is not given.
    """
    names = [figure.name for figures in chapters.values() for figure in figures]
    captions = {name: caption_html((folder / f"{name}.rst").read_text(encoding="utf-8")) for name in names}
    judged = [_judged(claim) for claim in claims.itertuples() if claim.verdict != NOT_APPLICABLE]
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    return environment.from_string(template).render(
        chapters=chapters, captions=captions, folder=folder.name, claims=judged, **told
    )


def caption_html(caption: str) -> str:
    """A caption (reStructuredText) as HTML."""
    return publish_parts(caption, writer="html5", settings_overrides=OF_CAPTIONS)["body"]


def _judged(claim: Any) -> dict[str, str]:
    """What the page says of a claim."""
    found = ""
    if claim.verdict != ERROR:
        value = measured(claim.value, claim.low, claim.high, claim.quantity)
        found = f"{value}; n = {sample_sizes(claim)}"
    return {
        "topic": claim.topic.replace("_", " ").capitalize(),
        "statement": f"{claim.statement} ({claim.work}, {claim.section})",
        "measured": found,
        "verdict": claim.verdict,
        "reason": claim.reason,
    }
