"""Settings: sections `head_ablation`, `layer_bypass` and `weight_noise`."""

from typing import Annotated

from pydantic import Field

from memloc.settings.base import Judging, MicroBatch, Positive, Section

BYPASSES = {"attention": ("identity", "mean"), "mlp": ("mean",)}  # ways to bypass a block


class HeadAblation(Section):
    """Ablation of attention heads in the forward pass (not in the paper)."""

    n_paragraphs: Positive = Field(
        50, description="Memorized paragraphs that no analysis has sampled, and as many non-memorized ones."
    )
    top: Annotated[list[Positive], Field(min_length=1)] = Field(
        [1, 2, 4, 8, 16, 32], description="Numbers of heads that are replaced by their means together."
    )
    n_random: Positive = Field(10, description="Random orders of the heads, to compare with the rankings.")
    n_judging: Judging = 50  # held-out paragraphs
    micro_batch: MicroBatch = 16


class LayerBypass(Section):
    """Attention and MLP blocks of whole layers bypassed (2501.05078)."""

    n_paragraphs: Positive = Field(
        50, description="Memorized paragraphs that no analysis has sampled, and as many non-memorized ones."
    )
    n_judging: Judging = 50  # held-out paragraphs
    micro_batch: MicroBatch = 16


class WeightNoise(Section):
    """Noise on the weights with the largest contrastive gradient (authors' notebook)."""

    n_paragraphs: Positive = Field(
        50,
        description="Memorized paragraphs whose gradients choose the weights; as many other memorized ones "
        "and as many non-memorized ones judge the noise.",
    )
    sizes: Annotated[list[Annotated[float, Field(gt=0)]], Field(min_length=1)] = Field(
        [0.3, 1.0, 3.0, 10.0],
        description="Standard deviations of the noise, in units of the W_* weights' standard deviation.",
    )
    draws: Positive = Field(6, description="Draws of the noise, and of the random weights.")
    n_judging: Judging = 50  # held-out paragraphs
    micro_batch: MicroBatch = 16
