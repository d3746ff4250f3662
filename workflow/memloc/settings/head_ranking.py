"""Settings: an attention head."""

from pydantic import Field

from memloc.settings.base import NonNegative, Section


class Head(Section):
    """One attention head."""

    layer: NonNegative = Field(description="Layer, from 0.")
    head: NonNegative = Field(description="Head, from 0.")
