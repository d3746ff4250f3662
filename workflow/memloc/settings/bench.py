"""Settings: section `bench`."""

from pydantic import Field

from memloc.settings.base import Positive, Section


class Bench(Section):
    """The target `bench`: a model with random weights, and how much of each stage is timed."""

    n_layers: Positive = Field(12, description="Layers of the model.")
    n_heads: Positive = Field(12, description="Attention heads per layer.")
    width: Positive = Field(768, description="Width of the residual stream, a multiple of the heads.")
    vocabulary: Positive = Field(50257, description="Vocabulary of the model.")
    window: Positive = Field(256, description="Window of local attention and longest context, in tokens.")
    repeats: Positive = Field(3, description="Timed runs of each side, after one that warms it up.")
    plain_batch: Positive = Field(
        50, description="Rows that the straightforward implementations decode and score at a time."
    )
    n_paragraphs: Positive = Field(64, description="Paragraphs that are scored and continued.")
    n_perturbed: Positive = Field(4, description="Paragraphs whose prefix tokens are all replaced in turn.")
    n_perturbed_plain: Positive = Field(1, description="Of these, straightforwardly.")
    n_pairs: Positive = Field(4, description="Pairs of paragraphs that are patched at every site.")
    patched_plain_step: Positive = Field(
        7, description="Every how many sites of one paragraph are patched straightforwardly."
    )
    n_gradients: Positive = Field(50, description="Paragraphs of the parameter gradients.")
    n_controls: Positive = Field(10, description="Controls of the edited paragraph.")
    n_steps: Positive = Field(5, description="Steps of its edit.")
    n_growth: Positive = Field(
        64, description="Paragraphs of the shortest scoring; 2, 4 and 8 times as many follow."
    )
