"""Settings: section `head_ablation`."""

from typing import Annotated

from pydantic import Field

from memloc.settings.base import Judging, Positive, Section


class HeadAblation(Section):
    """Ablation of heads, and of attention and MLP blocks, in the forward pass (not in the paper)."""

    n_paragraphs: Positive = Field(
        50, description="Memorized paragraphs that no analysis has sampled, and as many non-memorized ones."
    )
    top: Annotated[list[Positive], Field(min_length=1)] = Field(
        [1, 2, 4, 8, 16, 32], description="Numbers of heads that are replaced by their means together."
    )
    n_random: Positive = Field(10, description="Random orders of the heads, to compare with the rankings.")
    n_judging: Judging = 50  # held-out paragraphs
