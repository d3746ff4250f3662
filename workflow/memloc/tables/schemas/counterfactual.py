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
    nll = {"nullable": True, "unit": "nats per token"}
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
        "em_difference": number(
            nullable=True,
            unit="tokens",
            meaning="Mean exact match of models trained with it minus without it.",
        ),
        "nll_difference": number(
            **nll, meaning="The same of the NLL of the continuation: the counterfactual memorization."
        ),
        "nll_low": number(
            **nll, meaning="Low end, 95 %, over trainings; missing: fewer than eight models of either kind."
        ),
        "nll_high": number(**nll, meaning="High end; missing as above."),
        "kind": category(
            *KINDS,
            nullable=True,
            meaning="Kind of a recited paragraph: at least half of the models trained without it recite it "
            "(reconstruction), it occurs more than five times, or neither. Missing: not recited, or not by "
            "half of the models trained with it.",
        ),
        "kind_by_rule": category(*KINDS, nullable=True, meaning="Its kind in table `kinds`, by rules."),
    }
