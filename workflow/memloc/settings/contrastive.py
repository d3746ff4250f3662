"""Settings: section `contrastive`."""

from pydantic import Field

from memloc.settings.base import ContrastiveSection, MicroBatch, Positive


class Contrastive(ContrastiveSection):
    """The contrastive objective (paper 5.2)."""

    n_controls: Positive = Field(10, description="Non-memorized paragraphs drawn for each memorized one.")
    micro_batch: MicroBatch = 10
