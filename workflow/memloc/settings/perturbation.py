"""Settings: section `perturbation`."""

from pydantic import Field

from memloc.settings.base import AsAuthors, MicroBatch, Positive, Section


class Perturbation(Section):
    """Replace one prefix token at a time (paper 4)."""

    draws: Positive = Field(
        1,
        description="Random tokens tried at every position; more give a surer mean, and cost as much more.",
    )
    micro_batch: MicroBatch = 16
    nll: bool = Field(
        True,
        description="Also the NLL of the unperturbed continuation; without it, only the tokens that decide "
        "the exact match are run.",
    )
    reference: AsAuthors = False
    """As the authors' code: position 0 is never perturbed, and `nll_generated` is given."""
