"""Detection before decoding: features of prefixes, folds, and how well classifiers detect recitation."""

from memloc.tables.columns import PARAGRAPH, Column, Columns, Lengths, category, integer, number

MEASURED = (
    "nll",
    "nll_last_10",
    "min_k",
    "min_k_plus",
    "zlib",
    "entropy",
    "residual",
    "attention",
    "gradients",
    "residual_untrained",
)
STRATA = ("all", "boundary", "unseen")
LAYER_OF_RESIDUAL = "Layer of a residual stream; -1: of no single layer."
EXPOSURE = "Times that training saw it; 0: unseen."
MODULE = "Text that it comes from: column `module` of table paragraphs."
POSITIVE = "Recited paragraphs; in stratum unseen, seen ones."


def _n_seen(lengths: Lengths) -> Column:
    return integer(2, lengths.prefix, unit="tokens", meaning="Prefix tokens seen.")


def prefix_features(lengths: Lengths) -> Columns:
    return {
        "id": PARAGRAPH.stored_as("int32"),
        "n_seen": _n_seen(lengths).stored_as("int16"),
        "features": category(*MEASURED, dictionary=True, meaning="Kind of feature."),
        "layer": integer(-1, dtype="int16", unit="from 0", meaning=LAYER_OF_RESIDUAL),
        "index": integer(0, dtype="int32", meaning="Place among the features of this kind."),
        "value": number(dtype="float32", meaning="Value; NLL and entropy in nats."),
    }


def detection_folds(lengths: Lengths) -> Columns:
    return {
        "id": integer(0, unique=True, meaning="Paragraph."),
        "exposure": integer(0, unit="occurrences of the continuation", meaning=EXPOSURE),
        "recited": Column("bool", meaning="Its exact match is full."),
        "module": Column("str", nullable=True, meaning=MODULE),
        "cluster": integer(0, meaning="Cluster of near-duplicates."),
        "group": integer(0, meaning="Group of paragraphs joined by modules and clusters; no fold splits it."),
        "fold": integer(0, meaning="Fold that judges the paragraph; the others fit the classifier."),
    }


def _with_interval(name: str, low: float, high: float, meaning: str) -> Columns:
    ends = {name: meaning, f"{name}_low": "Low end, 95 %.", f"{name}_high": "High end, 95 %."}
    return {key: number(low, high, nullable=True, meaning=text) for key, text in ends.items()}


def detection(lengths: Lengths) -> Columns:
    return {
        "features": Column("str", meaning="Features that the classifier sees, or the control."),
        "stratum": category(*STRATA, meaning="Choice of the paragraphs that the classifier tells apart."),
        "n_seen": _n_seen(lengths),
        "n_positive": integer(1, unit="paragraphs", meaning=POSITIVE),
        "n_negative": integer(1, unit="paragraphs", meaning="The others."),
        "n_clusters": integer(1, meaning="Groups of paragraphs, which intervals resample."),
        **_with_interval("auroc", 0, 1, "Probability that a positive is ranked above a negative."),
        **_with_interval("gain", -1, 1, "AUROC minus the AUROC of the NLL of the same tokens, paired."),
    }
