"""Scores in models that were trained on a paragraph, and in models that were not."""

from memloc.tables.columns import NLL, PARAGRAPH, Column, Columns, Lengths, exact_match, integer, number

NATS, TOKENS, SHARE = "nats per token", "tokens", "share"

NEAR = "NLL in models that saw a near-duplicate but not the paragraph, minus NLL in models that saw neither."


def half_scores(lengths: Lengths) -> Columns:
    return {
        "model": integer(0, unit="from 0", meaning="Model, trained on half of the paragraphs."),
        "id": PARAGRAPH,
        "trained": Column("bool", meaning="The model was trained on the paragraph, with all its repeats."),
        "em": exact_match(lengths.continuation),
        "nll": NLL,
        "log_p": _log_p("under the first scheme of `extraction`"),
    }


def counterfactual(lengths: Lengths) -> Columns:
    def mean(what: str, unit: str, least: float | None = 0) -> Columns:
        def one(meaning: str, low: float | None = least) -> Column:
            return number(low, nullable=True, unit=unit, meaning=meaning)

        name = what.split(":")[0]
        return {
            f"{name}_with": one(f"Mean of models trained with it{what.removeprefix(name)}."),
            f"{name}_without": one("Mean of models trained without it."),
            f"{name}_difference": one("With minus without: the counterfactual memorization.", None),
            f"{name}_low": one("Low end of the difference, 95 %, over trainings.", None),
            f"{name}_high": one("High end.", None),
        }

    return {
        "id": integer(0, unique=True, meaning="Paragraph."),
        "repeats": integer(0, unit="occurrences", meaning="Occurrences of the continuation in training."),
        "elsewhere": Column("bool", meaning="Other paragraphs hold the continuation, too."),
        "em": exact_match(lengths.continuation),
        "log_p": _log_p("in the study's model"),
        "prefix_nll": number(
            nullable=True, unit=NATS, meaning="NLL of the prefix; missing: not in the sample of detection."
        ),
        "prefix_min_k": number(
            nullable=True, unit=NATS, meaning="Mean NLL of its least likely tokens (Min-K); missing as above."
        ),
        "n_with": integer(0, unit="models", meaning="Models trained with it."),
        "n_without": integer(0, unit="models", meaning="Models trained without it."),
        **mean("em: exact match", TOKENS),
        **mean("recited: share that recites all", SHARE),
        **mean("probability: of the continuation under sampling", SHARE),
        **mean("nll: of the continuation", NATS),
        "n_near": number(
            1, nullable=True, unit="paragraphs", meaning="Near-duplicates, if some models saw one."
        ),
        "near_difference": number(nullable=True, unit=NATS, meaning=NEAR),
    }


def _log_p(where: str) -> Column:
    return Column(
        "float64",
        high=0,
        unit="natural logarithm",
        meaning=f"Probability that sampling gives the continuation, {where}; -inf: it cannot.",
    )
