"""Paragraphs planted in chosen weights, and what localization methods say of where they are."""

from memloc.settings.plant_kinds import GRANULARITIES
from memloc.tables.columns import PARAGRAPH, Column, Columns, category, integer, number
from memloc.tables.schema import Lengths

CONTROLS = ("plant", "twin", "wrong")


def _plant() -> Columns:
    return {
        "kind": category(*GRANULARITIES, meaning="Kind of place that the paragraph is planted in."),
        "plant": integer(0, meaning="Number of the plant among those of its kind."),
        "attempt": integer(
            0, meaning="Which try it is, from 0: a plant that fails is tried again elsewhere."
        ),
    }


def _damage(lengths: Lengths, suffix: str, nullable: bool) -> Columns:
    when = " before" if suffix else " after; missing where it failed or grew"
    return {
        f"em_memorized{suffix}": number(
            0,
            lengths.continuation,
            nullable=True,
            unit="tokens",
            meaning=f"Mean exact match of memorized paragraphs{when}.",
        ),
        f"em_own{suffix}": number(
            0,
            lengths.continuation,
            nullable=nullable,
            unit="tokens",
            meaning=f"Mean exact match of the model's own continuations of other paragraphs{when}.",
        ),
        f"nll_held_out{suffix}": number(
            0, nullable=nullable, unit="nats per token", meaning=f"Mean NLL of held-out paragraphs{when}."
        ),
    }


def plants(lengths: Lengths) -> Columns:
    def exact_match(meaning: str) -> Column:
        return integer(0, lengths.continuation, unit="tokens", meaning=meaning)

    return {
        **_plant(),
        "id": PARAGRAPH,
        "place": Column("str", meaning="Place in words."),
        "n_layers": integer(1, meaning="Layers that the place is in."),
        "norm": number(
            0,
            nullable=True,
            meaning="Root mean square of the place's weights, divided by that of all in its matrices; "
            "missing where the plant failed.",
        ),
        "learning_rate": number(0, meaning="Learning rate; of a memory that grew, the size of its steps."),
        "reached": Column("bool", meaning="The continuation is recited, with an NLL below the criterion."),
        "steps": integer(0, meaning="Steps of Adam that were taken, or exposures that moved the place."),
        "em_before": integer(
            0,
            lengths.continuation,
            dtype="Int64",
            nullable=True,
            unit="tokens",
            meaning="Exact match before; missing where the memory grew.",
        ),
        "nll_before": number(
            0, nullable=True, unit="nats per token", meaning="NLL of the continuation before, as for EM."
        ),
        "em": exact_match("Exact match of the plant, or where it failed after the last step."),
        "nll": number(
            0, nullable=True, unit="nats per token", meaning="NLL of the continuation at the same point."
        ),
        "n_allowed": integer(1, unit="weights", meaning="Weights that may move."),
        "n_changed": integer(0, dtype="Int64", nullable=True, unit="weights", meaning="Weights that differ."),
        **_damage(lengths, "_before", nullable=False),
        **_damage(lengths, "", nullable=True),
    }


def planted_truth(lengths: Lengths) -> Columns:
    return {
        **_plant(),
        "control": category(
            *CONTROLS,
            meaning="What is asked: the plant, its unplanted twin, or the plant with a wrong paragraph.",
        ),
        "method": Column("str", meaning="Localization method."),
        "granularity": category("layer", "head", "neuron", "weight", meaning="Units that are ranked."),
        "n_units": integer(1, meaning="Units that are ranked."),
        "n_place": integer(1, meaning="Units that hold the plant."),
        "recall_1": number(
            0, 1, meaning="Share of the place among the first units, as many as the place has."
        ),
        "recall_2": number(
            0, 1, meaning="Share of the place among the first units, twice as many as it has."
        ),
        "recall_5": number(
            0, 1, meaning="Share of the place among the first units, five times as many as it has."
        ),
        "average_precision": number(0, 1, meaning="Average precision; tied units together."),
        "auroc": number(
            0,
            1,
            nullable=True,
            meaning="Chance that a unit of the place ranks above another; ties are a half.",
        ),
        "rank": number(1, meaning="Rank of the place's first unit, 1 = first; ties share their mean rank."),
        "first": integer(0, meaning="The unit that ranks first, counted layer by layer."),
    }
