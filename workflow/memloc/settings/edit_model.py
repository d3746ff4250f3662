"""Settings: section `edit_model`."""

from typing import Literal

from pydantic import Field, model_validator

from memloc.settings.base import Judging, MicroBatch, Positive
from memloc.settings.listed import Ids, Listed
from memloc.settings.removal_ways import EDITS


class EditModel(Listed):
    """The model that `edited_model` exports: paragraphs removed together."""

    ids: Ids = Field([], description="Memorized paragraphs; none: all sampled ones.")
    way: Literal[EDITS] = Field(
        "top", description="A way of section `remove`, which holds its other settings; top is the paper's."
    )
    setting: float = Field(
        1e-5, gt=0, description="The way's setting, a learning rate or a share, as table `removal` shows it."
    )
    n_controls: Positive | None = Field(
        None, description="Non-memorized paragraphs that are to be kept; null: all sampled ones."
    )
    n_judging: Judging = 50
    micro_batch: MicroBatch = 16

    @model_validator(mode="after")
    def _a_way_has_its_setting(self) -> "EditModel":
        if "way" in self.model_fields_set and "setting" not in self.model_fields_set:
            raise ValueError(f"way {self.way} needs setting, the number that it takes")
        return self
