"""Detection before decoding: features of prefixes, folds, and how well classifiers detect recitation."""

from memloc.tables.columns import PARAGRAPH, Column, Columns, Lengths, category, integer, number

MEASURED = ("nll", "min_k", "zlib", "residual")
STRATA = ("all", "boundary", "unseen")


def _n_seen(lengths: Lengths) -> Column:
    return integer(2, lengths.prefix, unit="tokens", meaning="Prefix tokens seen.")


def prefix_features(lengths: Lengths) -> Columns:
    return {
        "id": PARAGRAPH.stored_as("int32"),
        "n_seen": _n_seen(lengths).stored_as("int16"),
        "features": category(*MEASURED, dictionary=True, meaning="Kind of feature."),
        "index": integer(0, dtype="int32", meaning="Place among the features of this kind."),
        "value": number(dtype="float32", meaning="Mean NLL per token in nats (zlib: per byte), or residual."),
    }


def _with_interval(name: str, low: float, high: float, *, meaning: str) -> Columns:
    return {
        name: number(low, high, nullable=True, meaning=meaning),
        f"{name}_low": number(low, high, nullable=True, meaning="Low end, 95 %."),
        f"{name}_high": number(low, high, nullable=True, meaning="High end, 95 %."),
    }


def _pairs(*, meaning: str) -> Column:
    return number(0, nullable=True, unit="pairs", meaning=meaning)


def detection(lengths: Lengths) -> Columns:
    return {
        "features": Column("str", meaning="Features that the classifier sees, or a baseline."),
        "stratum": category(*STRATA, meaning="Choice of the paragraphs that the classifier tells apart."),
        "n_seen": _n_seen(lengths),
        "n_positive": integer(
            1, unit="paragraphs", meaning="Recited paragraphs; in stratum unseen, seen ones."
        ),
        "n_negative": integer(1, unit="paragraphs", meaning="The others."),
        "n_clusters": integer(1, meaning="Groups of paragraphs, which intervals resample."),
        **_with_interval("auroc", 0, 1, meaning="Probability that a positive is ranked above a negative."),
        **_with_interval(
            "gain", -1, 1, meaning="AUROC minus the AUROC of the NLL of the same tokens, paired."
        ),
        "n_pairs": _pairs(
            meaning="NLL alone: unlike pairs of a positive and a negative of equal exposure, mean of draws."
        ),
        "n_right": _pairs(meaning="Of these, pairs in which the positive has the lower NLL, mean of draws."),
    }
