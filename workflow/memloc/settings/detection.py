"""Settings: section `detection`."""

from typing import Annotated

from pydantic import Field

from memloc.settings.base import Positive, Section

MIN_K_PERCENT = 20  # share of the tokens that are the least likely ones; other works use 5 to 60
Share = Annotated[float, Field(gt=0, le=1)]


class Detection(Section):
    """Detection of recitation from the prefix, before anything is decoded (future work of the paper)."""

    n_repeated: Positive = Field(
        5000, description="Largest number of repeated paragraphs; fewer take less time."
    )
    n_others: Positive = Field(
        2000, description="Largest number of paragraphs that occur once, and of unseen ones."
    )
    prefix_shares: list[Share] = Field(
        [0.1, 0.2, 0.4, 0.6, 0.8, 1.0],
        min_length=1,
        description="Shares of the prefix that a classifier sees. All features come from one pass.",
    )

    def n_seen(self, n_prefix: int) -> list[int]:
        """Prefix tokens seen at each lead time, fewest first; at least two, so that one has an NLL."""
        return sorted({max(2, round(share * n_prefix)) for share in self.prefix_shares})
