"""Settings: section `positions`."""

from typing import Annotated

from pydantic import Field

from memloc.settings.base import ListedOnce, Positive, Section


class Positions(Section):
    """Paragraphs scored at other positions and after other text (not in the paper)."""

    n_paragraphs: Positive = Field(50, description="Sampled paragraphs of each set.")
    n_others: Positive = Field(
        50, description="Of these, non-memorized ones scored at other positions, and as many unseen ones."
    )
    lengths: Annotated[list[Positive], ListedOnce] = Field(
        [1, 10, 50, 200],
        description="Tokens of unrelated text before a paragraph, as far as the model's positions reach.",
    )
    draws: Positive = Field(2, description="Texts that are drawn for each paragraph and length.")
