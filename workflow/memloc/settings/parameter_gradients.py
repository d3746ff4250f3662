"""Settings: section `parameter_gradients`."""

from memloc.settings.base import AsAuthors, Section


class ParameterGradients(Section):
    """Gradients of the NLL with respect to the weights (paper 5.1)."""

    reference: AsAuthors = False
    """As the authors' code, whose library folds LayerNorms into the weights that read them."""
