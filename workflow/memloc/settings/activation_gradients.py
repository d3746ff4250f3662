"""Settings: section `activation_gradients`."""

from typing import Literal

from pydantic import Field

from memloc.settings.base import AsAuthors, MicroBatch, Section


class ActivationGradients(Section):
    """Gradients of the NLL with respect to activations (paper 6.1, A.2)."""

    loss_tokens: Literal["first", "all"] = Field(
        "all", description="Continuation tokens in the loss: the first one, or all."
    )
    micro_batch: MicroBatch = 10
    reference: AsAuthors = False
    """As the authors' Figure 6: only the first continuation token is in the loss."""
