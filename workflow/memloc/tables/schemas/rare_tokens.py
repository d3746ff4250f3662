"""Attention against token rarity (paper 6.3)."""

from memloc.tables.columns import HEAD, LAYER, Columns, integer, number
from memloc.tables.schema import Lengths


def rare_tokens(lengths: Lengths) -> Columns:
    return {
        "layer": LAYER,
        "head": HEAD,
        "rank": integer(
            0, lengths.prefix - 1, meaning="Rank of a token's rarity in its prefix; 0 is the rarest."
        ),
        "attention_sum": number(0, meaning="Attention to the tokens of this rank, summed over paragraphs."),
        "attention_mean": number(0, 1, meaning="Attention to the tokens of this rank, mean per occurrence."),
        "occurrences": integer(1, meaning="Prefix tokens of this rank, over all paragraphs."),
        "attention_mean_null_q025": number(
            0, 1, meaning="2.5 % quantile of the mean attention when tokens are permuted."
        ),
        "attention_mean_null_q500": number(
            0, 1, meaning="Median of the mean attention when tokens are permuted."
        ),
        "attention_mean_null_q975": number(
            0, 1, meaning="97.5 % quantile of the mean attention when tokens are permuted."
        ),
    }


def rare_token_groups(lengths: Lengths) -> Columns:
    return {
        "group": integer(0, meaning="Group of paragraphs."),
        "layer": LAYER,
        "head": HEAD,
        "rank": integer(
            0, lengths.prefix - 1, meaning="Rank of a token's rarity in its prefix; 0 is the rarest."
        ),
        "attention_sum": number(0, meaning="Attention to the tokens of this rank, summed over the group."),
        "attention_expected": number(
            0, meaning="The same, if the tokens of a prefix exchanged their attention."
        ),
        "occurrences": integer(1, meaning="Prefix tokens of this rank, over the group's paragraphs."),
    }


def rare_token_correlation(lengths: Lengths) -> Columns:
    measures = ("pearson", "pearson_mean")
    correlations = [*measures, *(f"{name}_null_q{q}" for name in measures for q in ("025", "500", "975"))]
    return {
        "layer": LAYER,
        "head": HEAD,
        **{
            name: number(-1.000001, 1.000001, meaning=f"Correlation of attention and rarity: {name}.")
            for name in correlations
        },
        "n_paragraphs": integer(1, meaning="Paragraphs of the sample."),
        "n_unique_tokens": integer(1, meaning="Different tokens in the corpus of the counts."),
        "n_permutations": integer(1, meaning="Permutations of the null."),
    }
