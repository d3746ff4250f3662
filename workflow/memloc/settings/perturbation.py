"""Settings: section `perturbation`."""

from typing import Literal

from pydantic import Field, model_validator

from memloc.settings.base import AsAuthors, MicroBatch, Positive, Section

KINDS = REPLACED, DELETED, SWAPPED = ("replaced", "deleted", "swapped")


class Perturbation(Section):
    """Perturb one prefix token at a time (paper 4)."""

    kind: Literal[KINDS] = Field(
        REPLACED,
        description="Change of a token: replaced by a random other one, deleted (earlier ones move up by "
        "one, and the first is doubled), or swapped with the next one.",
    )

    draws: Positive = Field(
        1,
        description="Random tokens tried at every position; more give a surer mean at a proportional cost.",
    )
    micro_batch: MicroBatch = 16
    nll: bool = Field(
        True,
        description="Also compute the NLL of the unperturbed continuation; without it, only the tokens that "
        "decide the exact match are run.",
    )
    reference: AsAuthors = False
    """As in the authors' code: position 0 is never perturbed."""

    @model_validator(mode="after")
    def _only_replacements_are_random(self) -> "Perturbation":
        if self.kind != REPLACED and self.draws > 1:
            raise ValueError(f"every draw of a {self.kind} token is the same: set draws to 1")
        return self
