"""Scores in models that were trained on a paragraph, and in models that were not."""

from memloc.tables import columns
from memloc.tables.columns import Column, Columns, Lengths, integer, nats, number


def half_scores(lengths: Lengths) -> Columns:
    return {
        "model": integer(0, unit="from 0", meaning="Model, trained on half of the paragraphs."),
        "id": columns.PARAGRAPH,
        "trained": Column("bool", meaning="The model was trained on the paragraph, with all its repeats."),
        "em": columns.exact_match(lengths.continuation),
        "nll": columns.NLL,
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
        "nll_with": nats(meaning="Mean NLL of models trained with it.", nullable=True),
        "nll_without": nats(meaning="Mean NLL of models trained without it.", nullable=True),
        "nll_difference": _difference(meaning="With minus without: the counterfactual memorization."),
        "nll_low": _difference(meaning="Low end of the difference, 95 %, over trainings."),
        "nll_high": _difference(meaning="High end."),
    }


def _difference(*, meaning: str) -> Column:
    return number(nullable=True, unit="nats per token", meaning=meaning)
