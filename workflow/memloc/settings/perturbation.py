"""Settings: section `perturbation`."""

from typing import Literal

from pydantic import Field, model_validator

from memloc.settings.base import AsAuthors, MicroBatch, Positive, Section


class Perturbation(Section):
    """Replace one prefix token at a time (paper 4)."""

    draws: Positive = Field(1, description="Random tokens tried at every position.")
    micro_batch: MicroBatch = 16
    nll: bool = Field(
        True,
        description="Also the NLL of the unperturbed continuation; without it, only the tokens that decide "
        "the exact match are run.",
    )
    screening: Literal["auto", "none", "bfloat16"] = Field(
        "auto",
        description="Without nll: run everything in bfloat16 first, and what stays unsure again in full "
        "precision; auto does so where the device multiplies bfloat16 natively. Exact matches are the same.",
    )
    nll_generated: bool = Field(
        False, description="Also the NLL of the greedy continuation of every perturbed prefix."
    )
    reference: AsAuthors = False
    """As the authors' code: position 0 is never perturbed."""

    @model_validator(mode="after")
    def _screening_gives_no_nll(self) -> "Perturbation":
        if self.nll and self.screening == "bfloat16":
            raise ValueError("screening gives exact matches only: with bfloat16, set nll to false")
        return self
