"""Settings: section `paragraph`."""

from typing import Literal

from pydantic import Field, model_validator

from memloc.settings.base import Positive, Section


class Paragraph(Section):
    """Lengths of a paragraph and of its prefix, and the token before it (paper 3.2)."""

    length: Positive = Field(100, description="Tokens of a paragraph.")
    prefix: Positive = Field(50, description="Tokens of its prefix; the rest is the continuation.")

    before: Literal["none", "end_of_text", "bos"] = Field(
        "none",
        description="Token before every prefix, for models that were trained with one, such as Gemma. "
        "Scores, sets, extraction, positions and perturbation take it; other analyses refuse it. "
        "Captions name it.",
    )

    @property
    def continuation(self) -> int:
        """Tokens of the continuation."""
        return self.length - self.prefix

    @model_validator(mode="after")
    def _prefix_is_shorter(self) -> "Paragraph":
        if self.prefix >= self.length:
            raise ValueError("prefix must be smaller than length")
        return self
