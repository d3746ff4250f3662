"""Settings: section `editing`."""

from typing import Annotated, Literal

from pydantic import Field

from memloc.settings.arms import EXTRA_ARMS
from memloc.settings.base import EditSection, NonNegative, Positive


class Editing(EditSection):
    """Unlearning and editing of single memorized paragraphs (paper 5.3)."""

    n_paragraphs: Positive = Field(50, description="Memorized paragraphs, each edited by itself.")
    n_swept: Positive = Field(10, description="Of these, those edited at the other learning rates too.")
    learning_rates: Annotated[list[Annotated[float, Field(gt=0)]], Field(min_length=1)] = Field(
        [1e-5], description="Learning rates; claims are judged at the first one, which Figure 5 shows."
    )
    extra_arms: list[Literal[EXTRA_ARMS]] = Field(
        list(EXTRA_ARMS),
        description="Arms besides all, top and random: the highlighted head, and its layer.",
    )
    n_controls: Positive = Field(10, description="Non-memorized paragraphs that each edit is to keep.")
    n_held_out: Positive = Field(20, description="Paragraphs in no objective whose NLL shows damage.")
    n_others: Positive = Field(20, description="Other memorized paragraphs whose EM shows damage.")
    n_perturbations: Positive = Field(
        50, description="Perturbed prefixes from which an edited paragraph may still be recited."
    )
    evaluate_every: Positive = Field(
        5, description="Steps between two evaluations; the authors plot what five steps do."
    )
    relearning_limit: NonNegative = Field(
        20, description="Most steps of training on the paragraph until it is recited again; 0: not tried."
    )
    n_reference: NonNegative = Field(
        10,
        description="Paragraphs that are also edited as the authors' code does, at the first learning rate.",
    )
