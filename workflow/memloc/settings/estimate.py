"""Settings: section `estimate`."""

from typing import Literal

from pydantic import Field

from memloc.settings.base import Positive, Section


class Estimate(Section):
    """What target `estimate` says about a study's cost; time limits of jobs follow it."""

    machine: Literal["here", "a100", "h100"] = Field(
        "here",
        description="Machine: this one, whose products are timed, or, before you rent it, a GPU by its data "
        "sheet.",
    )
    paragraphs: Positive | None = Field(
        None,
        description="Paragraphs of your own text or list, before the filters; by default as many as are "
        "published, 15,000.",
    )
