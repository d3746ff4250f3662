"""Settings: section `recited`."""

from pydantic import Field

from memloc.settings.base import NonNegative, Section


class Recited(Section):
    """Which paragraphs of your own text count as recited, or nearly so (not in the paper)."""

    n_edits: NonNegative = Field(
        5,
        description="Most tokens to insert, delete or replace in a continuation that still counts as nearly "
        "verbatim; 0: none but exact ones.",
    )
