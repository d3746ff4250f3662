"""Settings: section `perturbation`."""

from pydantic import Field

from memloc.settings.base import AsAuthors, MicroBatch, Positive, Section


class Perturbation(Section):
    """Replace one prefix token at a time by a random other one (paper 4)."""

    draws: Positive = Field(
        1,
        description="Random tokens tried at every position; more give a surer mean at a proportional cost.",
    )
    micro_batch: MicroBatch = 16
    reference: AsAuthors = False
    """As in the authors' code: position 0 is never perturbed."""
