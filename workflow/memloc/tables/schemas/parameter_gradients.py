"""Gradients of the weights (paper 5.1 and 5.2)."""

from dataclasses import replace

from memloc.tables.columns import HEAD_IF_ANY, LAYER, NLL, Column, Columns, Lengths, category, integer, number
from memloc.tables.terms.samples import SAMPLES
from memloc.tables.terms.sets import SET_NAMES

COMPONENTS = ("W_Q", "W_K", "W_V", "W_O", "W_in", "W_out", "W_gate")
COMPONENT = {
    "layer": LAYER,
    "component": category(*COMPONENTS, meaning="Kind of weight."),
    "head": HEAD_IF_ANY,
}


GROUP = category(
    *SET_NAMES, "contrastive", meaning="Set whose NLL is differentiated, or the contrastive objective."
)


def _size(*, meaning: str, unit: str = "weight") -> Column:
    return number(0, unit=f"nats per token, per unit of the {unit}", meaning=meaning)


LARGEST = _size(unit="weight or activation", meaning="Largest absolute gradient of one weight.")
SUM = _size(meaning="Sum of the absolute gradients.")


def parameter_gradients(lengths: Lengths) -> Columns:
    return {
        "group": GROUP,
        **COMPONENT,
        "max_abs": LARGEST,
        "sum_abs": SUM,
        "n_weights": integer(1, meaning="Weights of the component."),
    }


def parameter_gradient_samples(lengths: Lengths) -> Columns:
    return {
        "group": replace(GROUP, values=("memorized", "contrastive")),
        "sample": category(*SAMPLES, meaning="A part of the sample, all but a part, or a resample."),
        "number": integer(0, meaning="Number of the sample among those of its kind."),
        **COMPONENT,
        "max_abs": LARGEST,
    }


def paragraph_gradients(lengths: Lengths) -> Columns:
    return {
        "id": integer(0, meaning="Paragraph."),
        "nll": NLL,
        "layer": LAYER,
        "score_sum": _size(meaning="Sum over the layer's components of the largest absolute gradients."),
        "sum_abs": SUM,
    }
