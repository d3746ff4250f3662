"""Attention against token rarity (paper 6.3)."""

from memloc.tables.columns import HEAD, LAYER, Columns, Lengths, integer, number

WITHIN = (-1.000001, 1.000001)  # limits of correlations, which rounding may put beyond 1
QUANTILES = {"025": "2.5 % quantile", "975": "97.5 % quantile"}


def _head_and_rank(lengths: Lengths) -> Columns:
    return {
        "layer": LAYER,
        "head": HEAD,
        "rank": integer(
            0, lengths.prefix - 1, meaning="Rank of a token's rarity in its prefix; 0 is the rarest."
        ),
    }


def rare_tokens(lengths: Lengths) -> Columns:
    return {
        **_head_and_rank(lengths),
        "attention_sum": number(0, meaning="Attention to the tokens of this rank, summed over paragraphs."),
        "attention_mean": number(0, 1, meaning="Attention to the tokens of this rank, mean per occurrence."),
        "occurrences": integer(1, meaning="Prefix tokens of this rank, over all paragraphs."),
        **{
            f"attention_mean_null_q{q}": number(
                0, 1, meaning=f"{name} of the mean attention when tokens are permuted."
            )
            for q, name in QUANTILES.items()
        },
    }


def rare_token_groups(lengths: Lengths) -> Columns:
    return {
        "group": integer(0, meaning="Group of paragraphs."),
        **_head_and_rank(lengths),
        "attention_sum": number(0, meaning="Attention to the tokens of this rank, summed over the group."),
        "attention_expected": number(
            0, meaning="Mean of this sum if the tokens of each prefix exchange their attention at random."
        ),
        "occurrences": integer(1, meaning="Prefix tokens of this rank, over the group's paragraphs."),
    }


def rare_token_correlation(lengths: Lengths) -> Columns:
    measures = {"pearson": "summed", "pearson_mean": "mean"}
    return {
        "layer": LAYER,
        "head": HEAD,
        **{
            name: number(*WITHIN, meaning=f"Correlation of rank and {what} attention.")
            for name, what in measures.items()
        },
        **{
            f"{name}_null_q{q}": number(
                *WITHIN,
                meaning=f"{quantile} of the correlation of rank and {what} attention when tokens are "
                "permuted.",
            )
            for name, what in measures.items()
            for q, quantile in QUANTILES.items()
        },
        "n_paragraphs": integer(1, meaning="Paragraphs of the sample."),
        "n_unique_tokens": integer(1, meaning="Different tokens among all that are counted."),
        "n_permutations": integer(1, meaning="Permutations of the null distribution."),
    }
