"""Settings: section `remove`."""

from typing import Annotated, Literal

from pydantic import Field

from memloc.settings.base import Judging, ListedOnce, MicroBatch, NonNegative, Positive, Section
from memloc.settings.listed import Ids, Listed
from memloc.settings.published import SPARSE_FRACTION
from memloc.settings.removal_ways import WAY_NAMES

MOST_SETTINGS = 4  # that a way is tried with on the validation paragraphs: the same budget for all
Share = Annotated[float, Field(gt=0, lt=1)]
Rates = Annotated[list[Annotated[float, Field(gt=0)]], Field(min_length=1, max_length=MOST_SETTINGS)]
Shares = Annotated[list[Share], Field(min_length=1, max_length=MOST_SETTINGS)]
Numbers = Annotated[list[Positive], Field(min_length=1, max_length=MOST_SETTINGS)]


class Unlearning(Section):
    """Ways top, random, all and head: the paper's unlearning (5.3); gradient_ascent: without controls."""

    learning_rates: Rates = Field([1e-4, 3e-4, 1e-3, 3e-3], description="Learning rates of Adam.")
    steps: Positive = Field(10, description="Steps of Adam.")
    fraction: float = Field(
        SPARSE_FRACTION, gt=0, le=1, description="Share of the W_* weights that top and random move."
    )


class BalancedSubnet(Section):
    """Way balanced_subnet: MLP weights with the lowest learned scores are zeroed (2410.02159)."""

    ratios: Shares = Field([0.001, 0.003, 0.01, 0.03], description="Shares of the MLP weights.")
    steps: Positive = Field(20, description="Steps of Adam on the scores.")


class Neurons(Section):
    """Ways neurons_*: MLP neurons that a method names first are zeroed (2311.09060)."""

    shares: Shares = Field([0.001, 0.005, 0.02, 0.05], description="Shares of the neurons.")


class Blocklist(Section):
    """Way ngram_blocklist: no n-gram of the listed paragraphs may be generated (2210.17546)."""

    lengths: Numbers = Field([4, 6, 8, 10], description="Tokens of an n-gram.")


class Heads(Section):
    """Ways heads and random_heads: the first heads of the combined ranking, or random ones, are ablated."""

    numbers: Numbers = Field([1, 2, 4, 8], description="Heads that are ablated.")


class Steering(Section):
    """Ways steering and random_direction: the residual stream is moved along a direction."""

    depths: Annotated[list[Annotated[float, Field(ge=0, lt=1)]], Field(min_length=1, max_length=2)] = Field(
        [0.25, 0.5],
        description="Depth of the layer before which the direction is subtracted, as a share of all layers.",
    )
    times: Annotated[list[Annotated[float, Field(gt=0)]], Field(min_length=1, max_length=2)] = Field(
        [1.0, 3.0], description="How many times the difference of means is subtracted."
    )


class Svd(Section):
    """Way svd: the smallest singular components of the MLP matrices are dropped."""

    shares: Shares = Field([0.05, 0.1, 0.2, 0.4], description="Shares of the components that are dropped.")


class Kfac(Section):
    """Way kfac: MLP weights in directions of little curvature are dropped (2510.24256)."""

    shares: Shares = Field([0.1, 0.2, 0.4, 0.6], description="Shares of the entries that are dropped.")


class Remove(Listed):
    """Ways to remove recitation side by side, on the same paragraphs, with the same judges."""

    ways: Annotated[list[Literal[WAY_NAMES]], ListedOnce] = Field(
        [], description="Ways that are compared; none: nothing is removed."
    )
    ids: Ids = Field(
        [], description="Memorized paragraphs that are removed; none: random ones, `n_joint` of them."
    )
    n_joint: Positive = Field(40, description="Paragraphs that are removed together.")
    n_single: NonNegative = Field(8, description="Of these, paragraphs that are also removed one by one.")
    n_validation: Positive = Field(
        10, description="Other memorized paragraphs, on which each way's setting is chosen."
    )
    n_keep: Positive = Field(20, description="Non-memorized paragraphs that ways are to keep.")
    n_perturbations: Positive = Field(
        4, description="Versions of each prefix with one token replaced, which may still recite."
    )
    shifts: Numbers = Field(
        [1, 5, 10], description="How many tokens at the start of the prefix are replaced by other text."
    )
    relearning_limit: NonNegative = Field(
        10, description="Most steps of training until a paragraph is recited again; 0: not tried."
    )
    relearning_rate: float = Field(1e-4, gt=0, description="Learning rate of that training, for all ways.")
    unlearning: Unlearning = Unlearning()
    balanced_subnet: BalancedSubnet = BalancedSubnet()
    neurons: Neurons = Neurons()
    ngram_blocklist: Blocklist = Blocklist()
    heads: Heads = Heads()
    steering: Steering = Steering()
    svd: Svd = Svd()
    kfac: Kfac = Kfac()
    n_judging: Judging = 20
    micro_batch: MicroBatch = 16
