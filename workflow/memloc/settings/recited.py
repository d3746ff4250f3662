"""Settings: section `recited`."""

from pydantic import Field

from memloc.settings.base import NonNegative, Section


class Recited(Section):
    """What of your own text is shown as recited, or nearly so (not in the paper)."""

    n_edits: NonNegative = Field(
        5,
        description="Tokens to insert, delete or replace in a continuation that is called nearly verbatim, "
        "at most.",
    )
