"""Unlearning and editing of single paragraphs (paper 5.3)."""

from functools import partial

from memloc.settings.editing import ARMS
from memloc.tables.columns import PARAGRAPH, Columns, Lengths, category, integer, nats, number

OBJECTIVES = ("unlearn", "edit")


def edits(lengths: Lengths) -> Columns:
    em = partial(number, 0, lengths.continuation, unit="tokens")
    return {
        "id": PARAGRAPH,
        "objective": category(*OBJECTIVES, meaning="Aim of the edit."),
        "arm": category(*ARMS, meaning="Weights that may move."),
        "learning_rate": number(
            0,
            meaning="Learning rate: the mildest by which the arm ends the recitation, or else the strongest; "
            "of random weights, that of the top ones.",
        ),
        "em_memorized": em(meaning="Exact match of the paragraph."),
        "em_target": em(nullable=True, meaning="Exact match of its target; missing without one."),
        "em_control": em(meaning="Mean exact match of the controls."),
        "em_other": em(meaning="Mean exact match of other memorized paragraphs."),
        "nll_control": nats(meaning="Mean NLL of the controls."),
        "em_other_before": em(meaning="Mean exact match of the others before the edit."),
        "nll_control_before": nats(meaning="Mean NLL of the controls before the edit."),
        "n_changed_weights": integer(0, meaning="Weights that have changed."),
    }
