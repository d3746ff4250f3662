"""What a model is trained on, and how that went."""

from memloc.settings.plant_kinds import GROWN_AS
from memloc.tables.columns import PARAGRAPH, Column, Columns, category, integer, number
from memloc.tables.schema import Lengths


def training_stream(lengths: Lengths) -> Columns:
    return {
        "id": integer(0, meaning="Paragraph of an occurrence, in the order of the packed text."),
        "whole": Column("bool", meaning="The occurrence lies within one window of training."),
    }


def training_curve(lengths: Lengths) -> Columns:
    return {
        "step": integer(1, unique=True, meaning="Optimiser step."),
        "loss": number(0, meaning="Mean NLL of the batch per token."),
        "learning_rate": number(0, meaning="Learning rate of the step."),
    }


def grown(lengths: Lengths) -> Columns:
    return {
        "kind": category(*GROWN_AS, meaning="Kind of place that the memory grew in."),
        "plant": integer(0, meaning="Number of the memory among those of its kind."),
        "id": PARAGRAPH,
        "place": Column("str", meaning="Place in words."),
        "weights": Column(
            "object", meaning="Weights of the place: numbers among all W_* weights, matrix after matrix."
        ),
        "exposures": integer(0, meaning="Exposures that moved the place."),
        "taken": Column(
            "bool", meaning="In an exposure, each continuation token had more than half the probability."
        ),
    }
