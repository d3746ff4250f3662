"""Gradients of the activations (paper 6.1 and A.2)."""

from memloc.tables.columns import LAYER, PARAGRAPH, Columns, category, integer, number
from memloc.tables.schema import Lengths

ACTIVATIONS = ("q", "k", "v", "z", "pre", "post")
HEAD = integer(
    0,
    dtype="Int64",
    nullable=True,
    unit="from 0",
    meaning="Attention head; missing where the activation has none.",
)


def paragraph_activations(lengths: Lengths) -> Columns:
    return {
        "id": PARAGRAPH,
        "layer": LAYER,
        "score_sum": number(
            0,
            unit="nats per token, per unit of the activation",
            meaning="Sum over the layer's components of the largest absolute gradients, mean over prefix.",
        ),
    }


def activation_gradients(lengths: Lengths) -> Columns:
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
        "head": HEAD.stored_as("Int16"),
        "position": integer(
            0,
            lengths.paragraph - 1,
            dtype="int16",
            unit="token position in the paragraph, from 0",
            meaning="Position of the activation.",
        ),
        "max_abs": number(
            0,
            dtype="float32",
            unit="nats per token, per unit of the weight or activation",
            meaning="Largest absolute gradient among the activation's units.",
        ),
    }


def impact_gradients(lengths: Lengths) -> Columns:
    return {
        **activation_gradients(lengths),
        "role": category("perturbed", "impact", dictionary=True, meaning="Which of the two positions it is."),
    }


def activation_similarity(lengths: Lengths) -> Columns:
    return {
        "layer": LAYER,
        "component": category(*ACTIVATIONS, meaning="Kind of activation."),
        "head": HEAD,
        "cosine": number(
            -1.000001,
            1.000001,
            nullable=True,
            meaning="Cosine of the mean gradients of memorized and non-memorized paragraphs.",
        ),
        "cosine_memorized": number(
            -1.000001,
            1.000001,
            nullable=True,
            meaning="Cosine of the mean gradients of two halves of the memorized paragraphs.",
        ),
        "cosine_non_memorized": number(
            -1.000001,
            1.000001,
            nullable=True,
            meaning="Cosine of the mean gradients of two halves of the non-memorized paragraphs.",
        ),
    }
