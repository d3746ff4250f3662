"""Settings: section `counterfactual`."""

from pydantic import Field

from memloc.settings.base import NonNegative, Section


class Counterfactual(Section):
    """Models trained without a random half of the paragraphs: what would each do had it never seen one?"""

    n_models: NonNegative = Field(
        0,
        description="Models, each trained as `model` is, on a random half of the paragraphs; 0: none. "
        "Intervals need 12.",
    )
