"""Scores in models that were trained on a paragraph, and in models that were not."""

from memloc.tables import columns
from memloc.tables.columns import Column, Columns, Lengths, category, integer, nats, number
from memloc.tables.terms.near_copies import KINDS


def half_texts(lengths: Lengths) -> Columns:
    return {
        "id": integer(0, meaning="Paragraph that models are trained with or without."),
        "place": integer(0, unit="tokens from 0", meaning="Where a copy of it begins in the packed text."),
    }


def half_scores(lengths: Lengths) -> Columns:
    return {
        "model": integer(0, unit="from 0", meaning="Model, trained on half of the paragraphs."),
        "id": columns.PARAGRAPH,
        "trained": Column("bool", meaning="The model was trained on the paragraph, with all its copies."),
        "em": columns.exact_match(lengths.continuation),
        "nll": columns.NLL,
        "n_weights": integer(1, unit="weights", meaning="Weights of the model."),
    }


def counterfactual(lengths: Lengths) -> Columns:
    return {
        "id": columns.ONE_PARAGRAPH,
        "repeats": integer(0, unit="occurrences", meaning="Occurrences of the continuation in training."),
        "em": columns.exact_match(lengths.continuation),
        "prefix_nll": nats(
            meaning="NLL of the prefix; missing: not in the sample of detection.", nullable=True
        ),
        "n_with": integer(0, unit="models", meaning="Models trained with it."),
        "n_without": integer(0, unit="models", meaning="Models trained without it."),
        "recited_with": number(
            0, 1, nullable=True, meaning="Share of models trained with it that recite the whole continuation."
        ),
        "recited_without": number(0, 1, nullable=True, meaning="Share of models trained without it that do."),
        **_compared("em", "tokens", "exact match"),
        **_compared("nll", "nats per token", "NLL of the continuation"),
        "kind": category(
            *KINDS,
            nullable=True,
            meaning="Kind of a recited paragraph: at least half of the models trained without it recite it "
            "(reconstruction), it occurs more than five times, or neither. Missing: not recited.",
        ),
        "kind_by_rule": category(*KINDS, nullable=True, meaning="Its kind in table `kinds`, by rules."),
    }


def _compared(name: str, unit: str, what: str) -> Columns:
    def one(low: float | None = None, *, meaning: str) -> Column:
        return number(low, nullable=True, unit=unit, meaning=meaning)

    return {
        f"{name}_with": one(0, meaning=f"Mean of models trained with it: {what}."),
        f"{name}_without": one(0, meaning="Mean of models trained without it."),
        f"{name}_difference": one(meaning="With minus without: the counterfactual memorization."),
        f"{name}_low": one(meaning="Low end of the difference, 95 %, over trainings."),
        f"{name}_high": one(meaning="High end."),
    }
