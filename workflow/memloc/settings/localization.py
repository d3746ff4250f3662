"""Settings: the sections of the paper's ways to localize memorized paragraphs (5, 6, A.3)."""

from pydantic import Field

from memloc.settings.base import AsAuthors, ContrastiveSection, NonNegative, Positive, Section


class Contrastive(ContrastiveSection):
    """The contrastive objective (paper 5.2)."""

    n_controls: Positive = Field(10, description="Non-memorized paragraphs drawn for each memorized one.")


class ActivationGradients(Section):
    """Gradients of the NLL with respect to activations (paper 6.1, A.2)."""

    reference: AsAuthors = False
    """As in the authors' Figure 6: only the first continuation token is in the loss."""


class Patching(Section):
    """Two-way activation patching (paper A.3)."""

    exact: bool | None = Field(
        None,
        description="Run every patch of q, k and v, which takes hours on a large model. false: first-order "
        "estimates only; null: exact up to a billion parameters.",
    )


class Head(Section):
    """One attention head."""

    layer: NonNegative = Field(description="Layer, from 0.")
    head: NonNegative = Field(description="Head, from 0.")
