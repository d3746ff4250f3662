"""Settings: section `bench`."""

from typing import Literal

from pydantic import Field

from memloc.settings.base import Section

COMPARISONS = (
    "scoring",
    "windows",
    "perturbation",
    "patching",
    "attribution_patching",
    "parameter_gradients",
    "editing_step",
    "planting_step",
)
"""What is compared with straightforward implementations, in the order of the workflow."""


class Bench(Section):
    """The target `bench`: a model with random weights, next to straightforward implementations."""

    size: Literal["full", "small", "tiny"] = Field(
        description="A model like GPT-Neo 125M, with all work or with that of some minutes; or a tiny one."
    )
