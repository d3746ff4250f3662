"""Settings: section `expected`."""

from typing import Literal

from pydantic import Field

from memloc.settings.base import NonNegative, Section
from memloc.settings.head_ranking import Head


class Expected(Section):
    """Published numbers of this study; the run reports its own next to them, and uses none."""

    n_paragraphs: NonNegative | None = Field(None, description="Paragraphs left by the filters.")
    n_memorized: NonNegative | None = Field(None, description="Memorized paragraphs.")
    n_non_memorized: NonNegative | None = Field(None, description="Non-memorized paragraphs.")
    n_partly_11_29: NonNegative | None = Field(None, description="Paragraphs with an EM of 11 to 29 of 50.")
    n_partly_30_49: NonNegative | None = Field(None, description="Paragraphs with an EM of 30 to 49 of 50.")
    max_count: NonNegative | None = Field(None, description="Occurrences of the most frequent paragraph.")
    head: Head | None = Field(None, description="Head that comes first in the publication's rankings.")
    key_query_layer: NonNegative | None = Field(
        None, description="Layer whose keys and queries have the largest gradients in perturbed paragraphs."
    )
    n_unique_tokens: NonNegative | None = Field(
        None, description="Different tokens of memorized and non-memorized paragraphs."
    )
    rare_token_correlation: float | None = Field(
        None, description="Correlation of the head's summed attention with the rank of a token's rarity."
    )
    filter: Literal["run", "reference"] = Field(
        "run",
        description="Filter that the published numbers come from: this study's, or the authors' code "
        "(reference), whose paragraphs are then scored and counted too.",
    )
