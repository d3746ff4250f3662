"""Settings: section `attention`."""

from pydantic import Field

from memloc.settings.base import Positive, Section


class Attention(Section):
    """Attention of the first decoded token onto the prefix (paper 6.2)."""

    micro_batch: Positive = Field(32, description="Paragraphs per forward pass.")
