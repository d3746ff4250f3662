"""Gradients of the activations (paper 6.1 and A.2)."""

from memloc.tables import columns
from memloc.tables.columns import HEAD_IF_ANY, LAYER, PARAGRAPH, Columns, Lengths, category, number

ACTIVATIONS = ("q", "k", "v", "z", "pre", "post")


def activation_gradients(lengths: Lengths) -> Columns:
    unit = "nats per token, per unit of the weight or activation"
    return {
        "group": category(
            "memorized",
            "perturbed",
            dictionary=True,
            meaning="Memorized paragraphs or their perturbed versions.",
        ),
        "id": PARAGRAPH.stored_as("int32"),
        "layer": LAYER.stored_as("int16"),
        "component": category(*ACTIVATIONS, dictionary=True, meaning="Kind of activation."),
        "head": HEAD_IF_ANY.stored_as("Int16"),
        "position": columns.position(
            0, lengths.paragraph, meaning="Position of the activation.", dtype="int16"
        ),
        "max_abs": number(
            0, dtype="float32", unit=unit, meaning="Largest absolute gradient among the activation's units."
        ),
    }


def impact_gradients(lengths: Lengths) -> Columns:
    role = category("perturbed", "impact", dictionary=True, meaning="Which of the two positions it is.")
    return {**activation_gradients(lengths), "role": role}
