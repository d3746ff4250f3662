"""Settings: section `filters`."""

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
    min_unique: float = Field(0.5, ge=0, le=1, description="Smallest share of unique tokens that is kept.")
    reference: AsAuthors = False
    """As in the authors' code: more than `min_unique`; a keyword's tokens count in any order and place."""
