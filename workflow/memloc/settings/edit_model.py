"""Settings: section `edit_model`."""

from typing import Literal

from pydantic import Field

from memloc.settings.base import NonNegative, Positive, _Contrast
from memloc.settings.published import SPARSE_FRACTION


class EditModel(_Contrast):
    """The model that `edit_model` exports: paragraphs unlearned jointly."""

    ids: list[NonNegative] = Field([], description="Memorized paragraphs; none: all sampled ones.")
    arm: Literal["all", "top", "random", "head", "layer"] = Field(
        "top", description="Which weights move, as in editing."
    )
    steps: Positive = Field(10, description="Steps of Adam.")
    learning_rate: float = Field(1e-5, gt=0, description="Learning rate of Adam.")
    fraction: float = Field(
        SPARSE_FRACTION, gt=0, le=1, description="Share of the W_* weights that the sparse arms move."
    )
    n_controls: Positive | None = Field(
        None, description="Non-memorized paragraphs that are to be kept; null: all sampled ones."
    )
    n_held_out: Positive = Field(50, description="Paragraphs in no objective whose NLL shows damage.")
    n_others: Positive = Field(50, description="Other memorized paragraphs whose EM shows damage.")
    micro_batch: Positive = Field(16, description="Paragraphs per pass.")
