"""Paragraphs planted in chosen weights, and the answers of localization methods about their places."""

from memloc.settings.planted_truth import GRANULARITIES, PLANT_GRANULARITIES
from memloc.tables.columns import Column, Columns, Lengths, category, integer, n_tokens, nats, number

CONTROLS = ("plant", "twin", "never", "wrong")


def _plant(*kinds: str) -> Columns:
    return {
        "kind": category(*kinds, meaning="Kind of place that the paragraph is planted in, or grew in."),
        "plant": integer(0, meaning="Number of the plant, or grown memory, among those of its kind."),
        "attempt": integer(
            0, meaning="Number of the try, from 0: a plant that fails is tried again elsewhere."
        ),
    }


def _damage(lengths: Lengths, suffix: str, nullable: bool) -> Columns:
    when = "before planting" if suffix else "after planting; missing where it failed"
    em = {"low": 0, "high": lengths.continuation, "unit": "tokens"}
    return {
        f"em_memorized{suffix}": number(
            **em, nullable=True, meaning=f"Mean exact match of memorized paragraphs {when}."
        ),
        f"nll_held_out{suffix}": nats(meaning=f"Mean NLL of held-out paragraphs {when}.", nullable=nullable),
    }


def plants(lengths: Lengths) -> Columns:
    n = lengths.continuation
    return {
        **_plant(*PLANT_GRANULARITIES),
        "id": integer(0, meaning="Paragraph."),
        "place": Column("str", meaning="Place in words."),
        "n_layers": integer(1, meaning="Layers that the place is in."),
        "learning_rate": number(0, meaning="Learning rate."),
        "reached": Column("bool", meaning="The criterion: it is recited, its NLL is low, others are kept."),
        "steps": integer(0, meaning="Steps of Adam that were taken."),
        "em_before": n_tokens(n, meaning="Exact match before planting."),
        "nll_before": nats(meaning="NLL of the continuation before planting."),
        "em": n_tokens(n, meaning="Exact match after planting, or after the last step of a failed plant."),
        "nll": nats(meaning="NLL of the continuation after the same step.", nullable=True),
        "norm": number(
            0,
            nullable=True,
            meaning="Root mean square of the place's weights after planting, relative to others in its "
            "matrices.",
        ),
        "n_allowed": integer(1, unit="weights", meaning="Weights that may move."),
        "n_changed": integer(0, dtype="Int64", nullable=True, unit="weights", meaning="Weights that differ."),
        **_damage(lengths, "_before", nullable=False),
        **_damage(lengths, "", nullable=True),
        "own_kept": number(
            0,
            1,
            nullable=True,
            meaning="Share of the tokens of the model's own continuations of other paragraphs that are still "
            "the most likely ones, each after the tokens before it; missing where planting failed.",
        ),
    }


def planted_truth(lengths: Lengths) -> Columns:
    times = {1: "n_place", 2: "2 n_place", 5: "5 n_place"}
    return {
        **_plant(*GRANULARITIES),
        "id": integer(0, meaning="Paragraph that is planted, or grew."),
        "control": category(
            *CONTROLS,
            meaning="Question: the memory in its model; in a twin (unplanted, or the swap twin, in which it "
            "grew elsewhere); in the twin that never saw it; or a wrong paragraph in the memory's model.",
        ),
        "method": Column("str", meaning="Localization method."),
        "granularity": category("layer", "head", "neuron", "weight", meaning="Units that are ranked."),
        "n_units": integer(1, meaning="Units that are ranked."),
        "n_place": integer(1, meaning="Units that hold the place."),
        **{
            f"recall_{n}": number(0, 1, meaning=f"Share of the place's units among the first {many} units.")
            for n, many in times.items()
        },
        "average_precision": number(0, 1, meaning="Average precision; tied units count together."),
        "auroc": number(
            0,
            1,
            nullable=True,
            meaning="Chance that a unit of the place ranks above a unit elsewhere; ties are a half.",
        ),
        "rank": number(1, meaning="Rank of the place's first unit, 1 = first; ties share their mean rank."),
        "first": integer(0, meaning="The unit that ranks first, counted layer by layer."),
    }
