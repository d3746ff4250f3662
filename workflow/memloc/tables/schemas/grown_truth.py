"""The answers of localization methods about the places of memories that grew."""

from memloc.settings.model import GROWN_GRANULARITIES
from memloc.tables.columns import Column, Columns, Lengths, category, integer, number

ASKED_MODELS = ("own", "twin", "never")


def grown_truth(lengths: Lengths) -> Columns:
    return {
        "kind": category(*GROWN_GRANULARITIES, meaning="Kind of place that the memory grew in."),
        "memory": integer(
            0, meaning="Number of the memory among those of its kind; those of the swap twin come last."
        ),
        "id": integer(0, meaning="Paragraph."),
        "asked_model": category(
            *ASKED_MODELS,
            meaning="Model that is asked: the memory's own; its twin, in which it grew elsewhere; or the "
            "twin that never saw it.",
        ),
        "method": Column("str", meaning="Localization method."),
        "granularity": category("layer", "head", "neuron", "weight", meaning="Units that are ranked."),
        "n_units": integer(1, meaning="Units that are ranked."),
        "n_place": integer(1, meaning="Units that hold the place."),
        "recall": number(
            0,
            1,
            meaning="Share of the place's units among the first n_place units. Of a memory that grew "
            "everywhere, scores are means over the places of `grown_heads`.",
        ),
        "average_precision": number(0, 1, meaning="Average precision; tied units count together."),
        "place_layer": integer(
            0, nullable=True, meaning="Layer that holds the place; missing if several do."
        ),
        "auroc_in_layer": number(
            0,
            1,
            nullable=True,
            meaning="Chance that a unit of the place ranks above another unit of its layer, or the mean over "
            "its layers; ties are a half; missing for layers and single weights.",
        ),
    }
