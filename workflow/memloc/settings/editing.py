"""Settings: section `editing`."""

from typing import Annotated, Literal

from pydantic import Field

from memloc.settings.base import ContrastiveSection, Judging, MicroBatch, NonNegative, Positive

SPARSE_FRACTION = 0.001  # share of the W_* weights that sparse edits move (paper 5.3)
# The one list of arms. An arm is a choice of weights that an edit may move. `movable_weights`
# (editing/masks.py) chooses them, ARM_STYLES (figures/parts/edit_summary.py) has labels and colours.
PAPER_ARMS = ("all", "top", "random")  # always run (paper 5.3)
EXTRA_ARMS = ("head", "other_head")
ARMS = (*PAPER_ARMS, *EXTRA_ARMS)


class Editing(ContrastiveSection):
    """Unlearning and editing of single memorized paragraphs (paper 5.3).

    With `reference`, every weight decays by 1.0, too.
    """

    steps: Positive = Field(10, description="Steps of Adam (authors' plot notebook: 5).")
    fraction: float = Field(
        SPARSE_FRACTION, gt=0, le=1, description="Share of the W_* weights that the sparse arms move."
    )
    n_paragraphs: Positive = Field(50, description="Memorized paragraphs, each edited by itself.")
    n_swept: Positive = Field(10, description="Of these, paragraphs edited at all learning rates.")
    learning_rates: Annotated[list[Annotated[float, Field(gt=0)]], Field(min_length=1)] = Field(
        [1e-5], description="Learning rates; claims are judged at the first one, which Figure 5 shows."
    )
    extra_arms: list[Literal[EXTRA_ARMS]] = Field(
        list(EXTRA_ARMS),
        description="Arms besides all, top and random: the highlighted head, and another head of its layer.",
    )
    n_controls: Positive = Field(10, description="Non-memorized paragraphs that each edit is to keep.")
    n_perturbations: Positive = Field(
        50, description="Perturbed prefixes per paragraph on which recitation is tested after an edit."
    )
    relearning_limit: NonNegative = Field(
        20, description="Limit of training steps until the paragraph is recited again; 0: not tried."
    )
    n_judging: Judging = 20
    micro_batch: MicroBatch = 16
