"""Settings: section `parameter_gradients`."""

from pydantic import Field

from memloc.settings.base import Section


class ParameterGradients(Section):
    """Gradients of the NLL with respect to the weights (paper 5.1)."""

    reference: bool = Field(
        False,
        description="As the authors' code, whose library folds LayerNorms into the weights that read them.",
    )
