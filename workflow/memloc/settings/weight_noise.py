"""Settings: section `weight_noise`."""

from typing import Annotated

from pydantic import Field

from memloc.settings.base import Judging, MicroBatch, Positive, Section


class WeightNoise(Section):
    """Noise on, and zeroing of, the weights with the largest contrastive gradient (authors' notebook)."""

    n_paragraphs: Positive = Field(
        50,
        description="Memorized paragraphs whose gradients choose the weights; as many other memorized ones, "
        "and as many non-memorized ones, judge.",
    )
    sizes: Annotated[list[Annotated[float, Field(gt=0)]], Field(min_length=1)] = Field(
        [0.3, 1.0, 3.0, 10.0],
        description="Standard deviations of the noise, in those of the model's W_* weights.",
    )
    draws: Positive = Field(6, description="Draws of the noise, and of the random weights; verdicts need 6.")
    n_judging: Judging = 50  # held-out paragraphs
    micro_batch: MicroBatch = 16
