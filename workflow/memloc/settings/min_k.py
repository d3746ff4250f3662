"""Settings: section `min_k`."""

from pydantic import Field

from memloc.settings.base import Section


class MinK(Section):
    """Separation of the sets by their least likely tokens (not in the paper)."""

    percent: float = Field(
        20, gt=0, le=100, description="Share of the continuation's tokens, in percent; others use 5 to 60."
    )
