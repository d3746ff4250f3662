"""Settings: section `contrastive`."""

from typing import Any

from pydantic import Field, model_validator

from memloc.settings.base import Positive, Section


class Contrastive(Section):
    """The contrastive objective (paper 5.2)."""

    nll_weight: float = Field(
        1.0, gt=0, description="Weight of the memorized paragraph's NLL (with reference: 0.1 unless given)."
    )
    learning_rate: float = Field(
        1e-5, gt=0, description="Rate of the one step of Adam after which the gradient is taken."
    )
    n_controls: Positive = Field(10, description="Non-memorized paragraphs drawn for each memorized one.")
    micro_batch: Positive = Field(10, description="Paragraphs per forward and backward pass.")
    reference: bool = Field(
        False,
        description="As the authors' code: KL summed over positions instead of averaged, NLL weight 0.1.",
    )

    @model_validator(mode="before")
    @classmethod
    def _reference_weight(cls, given: Any) -> Any:
        if isinstance(given, dict) and given.get("reference") is True:
            return {"nll_weight": 0.1} | given
        return given
