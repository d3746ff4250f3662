"""Settings: section `edit_model`."""

from typing import Literal

from pydantic import Field, model_validator

from memloc.settings.arms import ARMS
from memloc.settings.base import EditSection, Positive
from memloc.settings.listed import Ids, Listed
from memloc.settings.removal_ways import EDITS


class EditModel(Listed, EditSection):
    """The model that `edited_model` exports: paragraphs removed together."""

    ids: Ids = Field([], description="Memorized paragraphs; none: all sampled ones.")
    way: Literal[EDITS] | None = Field(
        None, description="A way of section `remove`, with the settings of that section; null: the arm below."
    )
    setting: float | None = Field(
        None, gt=0, description="The way's setting, a learning rate or a share, as table `removal` shows it."
    )
    arm: Literal[ARMS] = Field("top", description="Which weights move, as in editing.")
    learning_rate: float = Field(1e-5, gt=0, description="Learning rate of Adam.")
    n_controls: Positive | None = Field(
        None, description="Non-memorized paragraphs that are to be kept; null: all sampled ones."
    )
    n_held_out: Positive = Field(50, description="Paragraphs in no objective whose NLL shows damage.")
    n_others: Positive = Field(50, description="Other memorized paragraphs whose EM shows damage.")

    @model_validator(mode="after")
    def _way_and_setting(self) -> "EditModel":
        if (self.way is None) != (self.setting is None):
            raise ValueError("way and setting are given together: a way of `remove`, and the number it takes")
        return self
