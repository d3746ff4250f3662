"""Gradients of the weights (paper 5.1 and 5.2)."""

from memloc.tables.columns import LAYER, NLL, PARAGRAPH, Columns, category, integer, number
from memloc.tables.schema import Lengths
from memloc.tables.terms.samples import SAMPLES
from memloc.tables.terms.sets import SET_NAMES

COMPONENTS = ("W_Q", "W_K", "W_V", "W_O", "W_in", "W_out", "W_gate")


def parameter_gradients(lengths: Lengths) -> Columns:
    return {
        "group": category(
            *SET_NAMES,
            "contrastive",
            meaning="Set whose NLL is differentiated, or the contrastive objective.",
        ),
        "layer": LAYER,
        "component": category(*COMPONENTS, meaning="Kind of weight."),
        "head": integer(
            0,
            dtype="Int64",
            nullable=True,
            unit="from 0",
            meaning="Attention head; missing where the weight has none.",
        ),
        "max_abs": number(
            0,
            unit="nats per token, per unit of the weight or activation",
            meaning="Largest absolute gradient of one weight.",
        ),
        "sum_abs": number(
            0, unit="nats per token, per unit of the weight", meaning="Sum of the absolute gradients."
        ),
        "n_weights": integer(1, meaning="Weights in the group."),
        "nll_term_norm": number(
            0,
            nullable=True,
            unit="nats per token, per unit of the weight",
            meaning="Norm of the gradient of the objective's NLL term.",
        ),
        "kl_term_norm": number(
            0,
            nullable=True,
            unit="nats per token, per unit of the weight",
            meaning="Norm of the gradient of the objective's KL term.",
        ),
    }


def parameter_gradient_samples(lengths: Lengths) -> Columns:
    return {
        "group": category(
            "memorized", "contrastive", meaning="Whose gradient, or the contrastive objective's."
        ),
        "sample": category(*SAMPLES, meaning="A part of the sample, what a part leaves, or a resample."),
        "number": integer(0, meaning="Number of the sample of its kind."),
        "layer": LAYER,
        "component": category(*COMPONENTS, meaning="Kind of weight."),
        "head": integer(
            0,
            dtype="Int64",
            nullable=True,
            unit="from 0",
            meaning="Attention head; missing where the weight has none.",
        ),
        "max_abs": number(
            0,
            unit="nats per token, per unit of the weight or activation",
            meaning="Largest absolute gradient of one weight.",
        ),
    }


def paragraph_gradients(lengths: Lengths) -> Columns:
    return {
        "id": PARAGRAPH,
        "nll": NLL,
        "layer": LAYER,
        "score_sum": number(
            0,
            unit="nats per token, per unit of the weight",
            meaning="Sum over the layer's components of the largest absolute gradients.",
        ),
        "sum_abs": number(
            0, unit="nats per token, per unit of the weight", meaning="Sum of the absolute gradients."
        ),
    }


def gradient_similarity(lengths: Lengths) -> Columns:
    return {
        "layer": LAYER,
        "component": category(*COMPONENTS, meaning="Kind of weight."),
        "head": integer(
            0,
            dtype="Int64",
            nullable=True,
            unit="from 0",
            meaning="Attention head; missing where the weight has none.",
        ),
        "cosine": number(
            -1.000001,
            1.000001,
            nullable=True,
            meaning="Cosine of the gradients of memorized and non-memorized paragraphs.",
        ),
    }
