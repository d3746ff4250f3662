"""Settings: section `perturbation`."""

from pydantic import Field

from memloc.settings.base import AsAuthors, Positive, Section

PER_PASS = 16  # paragraphs, if the settings do not say how many


class Perturbation(Section):
    """Replace one prefix token at a time by a random other one (paper 4)."""

    draws: Positive = Field(
        1,
        description="Random tokens tried at every position; more give a surer mean at a proportional cost.",
    )
    reference: AsAuthors = False
    """As in the authors' code: position 0 is never perturbed."""
