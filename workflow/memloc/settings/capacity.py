"""Settings: section `capacity`."""

from typing import Annotated

from pydantic import Field

from memloc.settings.base import ListedOnce, Positive, Section


class Capacity(Section):
    """How many bits a model can hold: new models learn random tokens (2505.24832)."""

    widths: Annotated[list[Positive], ListedOnce] = Field(
        [],
        description="Widths of new models, each trained as `model` is, but on uniformly random tokens, with "
        "windows of `model.context`; none: no models.",
    )
