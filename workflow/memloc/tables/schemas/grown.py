"""Memories that grew in places of their own while the model, or its swap twin, was trained."""

from memloc.settings.model import GROWN_GRANULARITIES
from memloc.tables import columns
from memloc.tables.columns import PARAGRAPH, Column, Columns, Lengths, category, integer, nats, number


def _memory(id: Column, *, meaning: str) -> Columns:
    return {
        "kind": category(*GROWN_GRANULARITIES, meaning="Kind of place that the memory grew in."),
        "memory": integer(0, meaning=meaning),
        "id": id,
        "place": Column("str", meaning="Place in words."),
    }


def _recited(lengths: Lengths) -> Columns:
    return {
        "em": columns.exact_match(lengths.continuation),
        "nll": nats(meaning="NLL of the continuation after the training."),
        "norm": number(
            0,
            nullable=True,
            meaning="Root mean square of the place's weights, divided by that of the other weights in its "
            "matrices; missing without others.",
        ),
    }


def grown(lengths: Lengths) -> Columns:
    return {
        **_memory(columns.ONE_PARAGRAPH, meaning="Number of the memory among those of its kind."),
        "layer": integer(
            0, nullable=True, unit="from 0", meaning="Layer of the place; missing if it is not in one."
        ),
        "units": Column(
            "object",
            meaning="Heads or neurons of the layer that the place is made of, from 0; without a layer, heads "
            "counted through all layers, or weights through all W_* matrices, in the order of the model.",
        ),
        "exposures": integer(0, meaning="Exposures that moved the place."),
        **_recited(lengths),
    }


def twins(lengths: Lengths) -> Columns:
    return {
        **_memory(
            PARAGRAPH,
            meaning="Number of the memory among those of its kind; those of the swap twin come last.",
        ),
        **_recited(lengths),
        "nll_never": nats(meaning="NLL in the twin that never saw the paragraph."),
        "nll_swapped": nats(
            meaning="NLL in the own model, while the place has the weights of its swap twin."
        ),
        "nll_before": nats(
            meaning="NLL in the own model, while the place has its weights from before they grew."
        ),
        "nll_carried": nats(
            meaning="NLL in the twin that never saw it, while the place has the own weights."
        ),
        "leak": number(
            meaning="Share of the memory that the place does not carry: (nll_carried - nll) / (nll_never "
            "- nll)."
        ),
    }
