"""Settings: sections `remove` and `edit_model`."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from memloc.settings.base import Judging, ListedOnce, NonNegative, Positive, Section
from memloc.settings.editing import SPARSE_FRACTION
from memloc.settings.removal_ways import EDITS, WAY_NAMES

MOST_SETTINGS = 4  # most settings that a way is tried with, so that all ways have the same budget
Ids = Annotated[list[NonNegative], ListedOnce]
Share = Annotated[float, Field(gt=0, lt=1)]
Rate = Annotated[float, Field(gt=0)]
Depth = Annotated[float, Field(ge=0, lt=1)]
Positives = Annotated[list[Rate], Field(min_length=1, max_length=MOST_SETTINGS)]
Shares = Annotated[list[Share], Field(min_length=1, max_length=MOST_SETTINGS)]
Numbers = Annotated[list[Positive], Field(min_length=1, max_length=MOST_SETTINGS)]


class Remove(Section):
    """Ways to remove recitation side by side, on the same paragraphs, with the same judges."""

    ways: Annotated[list[Literal[WAY_NAMES]], ListedOnce] = Field(
        [],
        description="Ways that are compared; none: only grown memories are removed (`model.grown`).",
    )
    ids: Ids = Field(
        [], description="Memorized paragraphs that are removed; none: random ones, `n_joint` of them."
    )
    n_joint: Positive = Field(40, description="Paragraphs that are removed together.")
    n_single: NonNegative = Field(
        8,
        description="Paragraphs of these, and grown memories of each kind, that are removed one by one.",
    )
    n_validation: Positive = Field(
        10, description="Other memorized paragraphs, on which each way's setting is chosen."
    )
    n_keep: Positive = Field(20, description="Non-memorized paragraphs that ways are to keep.")
    n_perturbations: Positive = Field(
        4, description="Versions of each prefix with one token replaced, on which recitation is tested."
    )
    relearning_limit: NonNegative = Field(
        10, description="Limit of training steps until a paragraph is recited again; 0: not tried."
    )
    relearning_rate: float = Field(1e-4, gt=0, description="Learning rate of that training, for all ways.")
    steps: Positive = Field(10, description="Steps of Adam; of way balanced_subnet twice as many.")
    fraction: float = Field(
        SPARSE_FRACTION, gt=0, le=1, description="Share of the W_* weights that top and random move."
    )
    unlearning: Positives = Field(
        [1e-4, 3e-4, 1e-3, 3e-3],
        description="Learning rates that top, random, all and head (the paper's unlearning) and "
        "gradient_ascent (the same without controls) try.",
    )
    balanced_subnet: Shares = Field(
        [0.001, 0.003, 0.01, 0.03],
        description="Shares of the MLP weights that are zeroed, lowest learned scores first (2410.02159).",
    )
    neurons: Shares = Field(
        [0.001, 0.005, 0.02, 0.05],
        description="Shares of the MLP neurons that neurons_* zero, in a method's order (2311.09060).",
    )
    svd: Shares = Field(
        [0.05, 0.1, 0.2, 0.4],
        description="Shares of the singular components of MLP matrices that are dropped, smallest first.",
    )
    kfac: Shares = Field(
        [0.1, 0.2, 0.4, 0.6],
        description="Shares of the entries of MLP weights that are dropped, least curvature first "
        "(2510.24256).",
    )
    ngram_blocklist: Numbers = Field(
        [4, 6, 8, 10],
        description="Lengths of the n-grams of listed paragraphs that may not be generated (2210.17546).",
    )
    heads: Numbers = Field(
        [1, 2, 4, 8],
        description="Numbers of heads that are ablated: the first of the combined ranking (heads) or random "
        "ones (random_heads).",
    )
    steering: Annotated[list[tuple[Depth, Rate]], Field(min_length=1, max_length=MOST_SETTINGS)] = Field(
        [(0.25, 1.0), (0.25, 3.0), (0.5, 1.0), (0.5, 3.0)],
        description="Depth of a layer (share of all) and a factor. Before the layer, the factor times a "
        "direction is subtracted: the difference of means (steering), or a random one (random_direction).",
    )
    n_judging: Judging = 20


class EditModel(Section):
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

    @model_validator(mode="after")
    def _a_way_has_its_setting(self) -> "EditModel":
        if "way" in self.model_fields_set and "setting" not in self.model_fields_set:
            raise ValueError(f"way {self.way} needs setting, the number that it takes")
        return self
