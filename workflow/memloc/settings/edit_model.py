"""Settings: section `edit_model`."""

from typing import Literal

from pydantic import Field

from memloc.settings.arms import ARMS
from memloc.settings.base import EditSection, NonNegative, Positive


class EditModel(EditSection):
    """The model that `edit_model` exports: paragraphs unlearned jointly."""

    ids: list[NonNegative] = Field([], description="Memorized paragraphs; none: all sampled ones.")
    arm: Literal[ARMS] = Field("top", description="Which weights move, as in editing.")
    learning_rate: float = Field(1e-5, gt=0, description="Learning rate of Adam.")
    n_controls: Positive | None = Field(
        None, description="Non-memorized paragraphs that are to be kept; null: all sampled ones."
    )
    n_held_out: Positive = Field(50, description="Paragraphs in no objective whose NLL shows damage.")
    n_others: Positive = Field(50, description="Other memorized paragraphs whose EM shows damage.")
