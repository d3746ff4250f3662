"""Settings: section `filters`."""

from typing import Literal

from pydantic import Field

from memloc.settings.base import AsAuthors, Section


class Filters(Section):
    """Which paragraphs are left out (paper A.1)."""

    keywords: list[str] = Field(
        [
            "TripAdvisor",
            "href",
            "license",
            "copyright",
            "software",
            "manuscript",
            "submission",
            "distribution",
            "disclaimed",
            "limited",
        ],
        description="Paragraphs that hold any variation of one of these are dropped.",
    )
    match: Literal["text", "tokens"] = Field(
        "text",
        description="Look for a variation in the text, or for all of its tokens among the paragraph's.",
    )
    min_unique: float = Field(0.5, ge=0, le=1, description="Smallest share of unique tokens that is kept.")
    reference: AsAuthors = False
    """As the authors' code: more than half unique, match tokens."""
