"""Settings: section `head_ranking`."""

from typing import Annotated, Literal

from pydantic import Field

from memloc.settings.base import ListedOnce, NonNegative, Section
from memloc.settings.methods import METHODS

HeadMethod = Literal[tuple(name for name, method in METHODS.items() if "head" in method.units)]


class Head(Section):
    """One attention head."""

    layer: NonNegative = Field(description="Layer, from 0.")
    head: NonNegative = Field(description="Head, from 0.")


class HeadRanking(Section):
    """The ranking of heads by all methods together."""

    also: Annotated[list[HeadMethod], ListedOnce] = Field(
        [],
        description="Further methods of planted truth that rank the heads, each asked about every sampled "
        "memorized paragraph. The combined ranking and the claims use the paper's four methods only.",
    )
