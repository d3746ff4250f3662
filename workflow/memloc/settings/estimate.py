"""Settings: section `estimate`."""

from typing import Literal

from pydantic import Field

from memloc.settings.base import Section


class Estimate(Section):
    """What target `estimate` says of a study's cost."""

    machine: Literal["here", "a100", "h100"] = Field(
        "here", description="Machine: this one, whose products are timed, or a GPU from its data sheet."
    )
