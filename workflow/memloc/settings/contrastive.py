"""Settings: section `contrastive`."""

from pydantic import Field

from memloc.settings.base import Positive, _WithReference
from memloc.settings.published import REFERENCE_NLL_WEIGHT


class Contrastive(_WithReference):
    """The contrastive objective (paper 5.2)."""

    nll_weight: float = Field(
        1.0,
        gt=0,
        description="Weight of the memorized paragraph's NLL "
        f"(with reference: {REFERENCE_NLL_WEIGHT} unless given).",
    )
    learning_rate: float = Field(
        1e-5, gt=0, description="Rate of the one step of Adam after which the gradient is taken."
    )
    n_controls: Positive = Field(10, description="Non-memorized paragraphs drawn for each memorized one.")
    micro_batch: Positive = Field(10, description="Paragraphs per forward and backward pass.")
    reference: bool = Field(
        False,
        description="As the authors' code: KL summed over positions instead of averaged, "
        f"NLL weight {REFERENCE_NLL_WEIGHT}.",
    )
