"""Settings: section `attention`."""

from memloc.settings.base import MicroBatch, Section


class Attention(Section):
    """Attention of the first decoded token onto the prefix (paper 6.2)."""

    micro_batch: MicroBatch = 32
