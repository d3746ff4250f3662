"""Settings: section `capacity`."""

from typing import Annotated

from pydantic import Field

from memloc.settings.base import ListedOnce, Positive, Section

VOCABULARY = 256  # different tokens
TEXTS = (4, 8)  # bits per weight: both more than such models were found to hold
PASSES = 400  # of a text


class Capacity(Section):
    """How many bits a model can hold: new models learn random tokens (2505.24832)."""

    widths: Annotated[list[Positive], ListedOnce] = Field(
        [],
        description="Widths of new models (GPT-2), trained as `model` is, but on uniformly random tokens, "
        "with windows of `model.context`; none: no models.",
    )
