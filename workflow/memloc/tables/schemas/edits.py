"""Unlearning and editing of single paragraphs (paper 5.3)."""

from memloc.settings.editing import ARMS
from memloc.tables.columns import PARAGRAPH, Columns, category, integer, number
from memloc.tables.schema import Lengths

OBJECTIVES = ("unlearn", "edit")
EDIT_TEXTS = ("memorized", "target", "control", "other", "held_out")


def _edit_scores(lengths: Lengths, suffix: str = "") -> Columns:
    """Means over the texts around an edit; that of the target is missing where a paragraph has none."""
    columns = {}
    for name in EDIT_TEXTS:
        missing = name == "target"
        if name != "held_out":
            columns[f"em_{name}{suffix}"] = number(
                0,
                lengths.continuation,
                nullable=missing,
                unit="tokens",
                meaning=f"Mean exact match of the texts `{name}`{(' before the edit' if suffix else '')}.",
            )
        columns[f"nll_{name}{suffix}"] = number(
            0,
            nullable=missing,
            unit="nats per token",
            meaning=f"Mean NLL of the texts `{name}`{(' before the edit' if suffix else '')}.",
        )
    return columns


def edits(lengths: Lengths) -> Columns:
    return {
        "id": PARAGRAPH,
        "objective": category(*OBJECTIVES, meaning="What the edit is for."),
        "arm": category(*ARMS, meaning="Which weights may move."),
        "learning_rate": number(0, meaning="Learning rate."),
        **_edit_scores(lengths),
        **_edit_scores(lengths, "_before"),
        "recited": number(
            0,
            1,
            unit="share of the perturbed prefixes",
            meaning="Of the perturbed prefixes, those that are still continued with the paragraph.",
        ),
        "recited_before": number(
            0, 1, unit="share of the perturbed prefixes", meaning="The same before the edit."
        ),
        "n_movable_weights": integer(1, meaning="Weights that the arm may move."),
        "n_changed_weights": integer(0, meaning="Weights that have changed."),
        "relearning_steps": integer(
            0,
            dtype="Int64",
            nullable=True,
            meaning="Steps until the paragraph is recited again; missing where it was not tried or reached.",
        ),
        "seed": integer(0, meaning="Seed of the edit."),
    }
