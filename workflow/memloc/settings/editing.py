"""Settings: section `editing`."""

from typing import Annotated

from pydantic import Field

from memloc.settings.base import ContrastiveSection, Judging, Positive

SPARSE_FRACTION = 0.001  # share of the W_* weights that sparse edits move (paper 5.3)
# An arm is a choice of weights that an edit may move. `movable_weights` (editing/masks.py) chooses them.
ARMS = ("all", "top", "random")

Rate = Annotated[float, Field(gt=0)]


class Editing(ContrastiveSection):
    """Unlearning and editing of single memorized paragraphs (paper 5.3).

    With `reference`, every weight decays by 1.0, too.
    """

    steps: Positive = Field(10, description="Steps of Adam (authors' plot notebook: 5).")
    fraction: float = Field(
        SPARSE_FRACTION, gt=0, le=1, description="Share of the W_* weights that the sparse arms move."
    )
    n_paragraphs: Positive = Field(50, description="Memorized paragraphs, each edited by itself.")
    learning_rates: Annotated[list[Rate], Field(min_length=1, max_length=16)] = Field(
        [float(f"{step}e{power}") for power in range(-6, -1) for step in (1, 2, 5)],
        description="Learning rates. Each arm takes the mildest that ends the recitation of a paragraph, "
        "found by bisection, or else the strongest (authors' code: 1e-5 for all).",
    )
    n_controls: Positive = Field(10, description="Non-memorized paragraphs that each edit is to keep.")
    n_judging: Judging = 20
