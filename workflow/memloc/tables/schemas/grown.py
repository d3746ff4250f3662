"""Memories that grew in places of their own while the model was trained."""

from memloc.settings.model import GROWN_GRANULARITIES
from memloc.tables.columns import (
    ONE_PARAGRAPH,
    Column,
    Columns,
    Lengths,
    category,
    exact_match,
    integer,
    nats,
    number,
)


def grown(lengths: Lengths) -> Columns:
    norm = "Root mean square of the place's weights, divided by that of the other weights in its matrices."
    return {
        "kind": category(*GROWN_GRANULARITIES, meaning="Kind of place that the memory grew in."),
        "plant": integer(0, meaning="Number of the memory among those of its kind."),
        "id": ONE_PARAGRAPH,
        "place": Column("str", meaning="Place in words."),
        "exposures": integer(0, meaning="Exposures that moved the place."),
        "em": exact_match(lengths.continuation),
        "nll": nats("NLL of the continuation after the training."),
        "nll_zeroed": nats("The same NLL while the place's weights are zero."),
        "nll_others_zeroed": nats("Mean NLL of the other memories meanwhile.", nullable=True),
        "norm": number(0, meaning=norm),
    }
