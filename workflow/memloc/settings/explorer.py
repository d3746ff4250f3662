"""Settings: section `explorer`."""

from pydantic import Field

from memloc.settings.base import Positive, Section


class Explorer(Section):
    """The interactive page: paragraphs, tokens, heads (target `explorer`)."""

    n_paragraphs: Positive = Field(
        200,
        description="Most paragraphs on the page; those with the most analyses come first, from all sets.",
    )
