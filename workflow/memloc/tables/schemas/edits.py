"""Unlearning and editing of single paragraphs (paper 5.3)."""

from memloc.settings.editing import ARMS
from memloc.tables.columns import PARAGRAPH, Columns, Lengths, category, integer, nats, number

OBJECTIVES = ("unlearn", "edit")
EDIT_TEXTS = ("memorized", "target", "control", "other")


def _edit_scores(lengths: Lengths, suffix: str = "") -> Columns:
    """Means over the texts around an edit; they are missing for the target if a paragraph has none."""
    before = " before the edit" if suffix else ""
    exact = {
        f"em_{name}{suffix}": number(
            0,
            lengths.continuation,
            nullable=name == "target",
            unit="tokens",
            meaning=f"Mean exact match of the texts `{name}`{before}.",
        )
        for name in EDIT_TEXTS
    }
    return exact | {f"nll_control{suffix}": nats(meaning=f"Mean NLL of the texts `control`{before}.")}


def edits(lengths: Lengths) -> Columns:
    return {
        "id": PARAGRAPH,
        "objective": category(*OBJECTIVES, meaning="Aim of the edit."),
        "arm": category(*ARMS, meaning="Weights that may move."),
        "learning_rate": number(
            0,
            meaning="Learning rate: the mildest by which the arm ends the recitation, or else the strongest; "
            "of random weights, that of the top ones.",
        ),
        **_edit_scores(lengths),
        **_edit_scores(lengths, "_before"),
        "n_movable_weights": integer(1, meaning="Weights that the arm may move."),
        "n_changed_weights": integer(0, meaning="Weights that have changed."),
    }
