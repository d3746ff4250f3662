"""Settings: section `activation_gradients`."""

from memloc.settings.base import AsAuthors, MicroBatch, Section


class ActivationGradients(Section):
    """Gradients of the NLL with respect to activations (paper 6.1, A.2)."""

    micro_batch: MicroBatch = 10
    reference: AsAuthors = False
    """As the authors' Figure 6: only the first continuation token is in the loss."""
