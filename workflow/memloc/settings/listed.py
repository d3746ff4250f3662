"""Settings: what sections share that list memorized paragraphs."""

from typing import Annotated

from pydantic import Field, model_validator

from memloc.settings.base import ListedOnce, NonNegative, Section

Ids = Annotated[list[NonNegative], ListedOnce]


class Listed(Section):
    """Memorized paragraphs by number, or by their text."""

    ids: Ids = Field([], description="Memorized paragraphs.")
    files: list[str] = Field(
        [],
        description="Instead of `ids`: text files of this machine, as in `data.files` (key or column "
        "`text`). Every memorized paragraph whose text is in one of them is listed.",
    )

    @model_validator(mode="after")
    def _ids_or_files(self) -> "Listed":
        if self.ids and self.files:
            raise ValueError("paragraphs are listed by ids or by files, not by both")
        if addresses := [file for file in self.files if "://" in file]:
            raise ValueError(f"files: {addresses[0]} is an address: fetch it, and name the file")
        return self
