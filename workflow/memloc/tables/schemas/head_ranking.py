"""Ranks of the attention heads by every method."""

from memloc.tables.columns import HEAD, LAYER, Column, Columns, Lengths, category, integer, number
from memloc.tables.terms.samples import SAMPLES

METHOD = Column("str", meaning="Method that gives the score.")
RANK = integer(
    1, meaning="Place in the ranking; 1 has the highest score. Equal scores share the first of their places."
)


def head_ranking(lengths: Lengths) -> Columns:
    return {
        "method": METHOD,
        "layer": LAYER,
        "head": HEAD,
        "score": number(meaning="Score of the head by the method."),
        "rank": RANK,
        "low": integer(1, meaning="Lower end of the interval of the rank."),
        "high": integer(1, meaning="Upper end of the interval of the rank."),
        "first_share": number(
            0, 1, meaning="Share of the resamples in which the head is first, alone or with others."
        ),
    }


def head_rank_samples(lengths: Lengths) -> Columns:
    return {
        "sample": category(
            *SAMPLES, dictionary=True, meaning="A part of the sample, all but a part, or a resample."
        ),
        "number": integer(0, dtype="int16", meaning="Number of the sample among those of its kind."),
        "method": METHOD,
        "layer": LAYER.stored_as("int16"),
        "head": HEAD.stored_as("int16"),
        "rank": RANK.stored_as("int16"),
    }
