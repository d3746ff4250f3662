"""Settings: section `exposure`."""

from typing import Annotated

from pydantic import Field

from memloc.settings.base import ListedOnce, Section


class Exposure(Section):
    """How often the model saw each paragraph, counted in indexes of a training corpus (not in the paper)."""

    index: Annotated[list[str], ListedOnce] = Field(
        [],
        description="Folders of infini-gram indexes (suffix arrays) that together hold the corpus, in the "
        "tokens of the model. None: `repeats`, `extraction` and claims use the counts of the data.",
    )
    tokenizer: str | None = Field(
        None,
        description="Folder with the tokenizer, and its config.json, whose token ids the indexes hold.",
    )
