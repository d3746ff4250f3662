"""Settings: section `capacity`."""

from typing import Annotated

from pydantic import Field

from memloc.settings.base import ListedOnce, NoTruth, Positive, Section


class Capacity(Section):
    """How many bits a model can hold: new models learn random tokens (2505.24832)."""

    widths: Annotated[list[Positive], ListedOnce] = Field(
        [],
        description="Widths of new models, each trained as `model` is, but on uniformly random tokens, with "
        "windows of `model.context`; none: no models.",
    )
    vocabulary: Annotated[int, Field(ge=2), NoTruth] = Field(256, description="Different tokens.")
    rounds: Positive = Field(
        4,
        description="Rounds of training on a text, at most: 25 passes, then 50, 100, .. Training ends "
        "before if a round adds less than 5 % of the bits.",
    )
