"""Settings: section `bench`."""

from pydantic import Field

from memloc.settings.base import Positive, Section

COMPARISONS = (
    "scoring",
    "windows",
    "continuation",
    "perturbation",
    "patching",
    "attribution_patching",
    "parameter_gradients",
    "editing_step",
    "planting_step",
)
"""What is compared with straightforward implementations, in the order of the workflow."""


class Bench(Section):
    """The target `bench`: a model with random weights, and how much of each stage is timed."""

    n_layers: Positive = Field(description="Layers of the model.")
    n_heads: Positive = Field(description="Attention heads per layer.")
    width: Positive = Field(description="Width of the residual stream, a multiple of the heads.")
    vocabulary: Positive = Field(description="Vocabulary of the model.")
    window: Positive = Field(description="Window of local attention and longest context, in tokens.")
    repeats: Positive = Field(description="Timed runs of each side, after one that warms it up.")
    plain_batch: Positive = Field(
        description="Rows that the straightforward implementations decode and score at a time."
    )
    n_paragraphs: Positive = Field(description="Paragraphs that are scored and continued.")
    n_perturbed: Positive = Field(
        description="Paragraphs whose prefix tokens are all replaced in turn; straightforwardly, one of them."
    )
    n_pairs: Positive = Field(description="Pairs of paragraphs that are patched at every site.")
    patched_plain_step: Positive = Field(
        description="The straightforward implementation patches one in so many sites of one paragraph."
    )
    n_gradients: Positive = Field(description="Paragraphs of the parameter gradients.")
    n_controls: Positive = Field(description="Controls of the edited paragraph.")
    n_steps: Positive = Field(description="Steps of its edit.")
    n_planted_steps: Positive = Field(description="Steps of every plant, a plant in every third layer.")
