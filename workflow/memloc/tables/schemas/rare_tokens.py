"""Attention against token rarity (paper 6.3)."""

from memloc.tables.columns import HEAD, LAYER, Columns, Lengths, integer, number

WITHIN = (-1.000001, 1.000001)  # limits of correlations, which rounding may put beyond 1
QUANTILES = {"025": "2.5 % quantile", "500": "Median", "975": "97.5 % quantile"}


def _head_and_rank(lengths: Lengths) -> Columns:
    meaning = "Rank of a token's rarity in its prefix; 0 is the rarest."
    return {"layer": LAYER, "head": HEAD, "rank": integer(0, lengths.prefix - 1, meaning=meaning)}


def rare_tokens(lengths: Lengths) -> Columns:
    permuted = "of the mean attention when tokens are permuted."
    return {
        **_head_and_rank(lengths),
        "attention_sum": number(0, meaning="Attention to the tokens of this rank, summed over paragraphs."),
        "attention_mean": number(0, 1, meaning="Attention to the tokens of this rank, mean per occurrence."),
        "occurrences": integer(1, meaning="Prefix tokens of this rank, over all paragraphs."),
        **{
            f"attention_mean_null_q{q}": number(0, 1, meaning=f"{name} {permuted}")
            for q, name in QUANTILES.items()
        },
    }


def rare_token_groups(lengths: Lengths) -> Columns:
    expected = "Mean of this sum if the tokens of each prefix exchange their attention at random."
    return {
        "group": integer(0, meaning="Group of paragraphs."),
        **_head_and_rank(lengths),
        "attention_sum": number(0, meaning="Attention to the tokens of this rank, summed over the group."),
        "attention_expected": number(0, meaning=expected),
        "occurrences": integer(1, meaning="Prefix tokens of this rank, over the group's paragraphs."),
    }


def rare_token_correlation(lengths: Lengths) -> Columns:
    measures = {"pearson": "summed", "pearson_mean": "mean"}
    meanings = {name: f"Correlation of rank and {what} attention." for name, what in measures.items()}
    for name, what in measures.items():
        permuted = f"of the correlation of rank and {what} attention when tokens are permuted."
        meanings |= {f"{name}_null_q{q}": f"{quantile} {permuted}" for q, quantile in QUANTILES.items()}
    return {
        "layer": LAYER,
        "head": HEAD,
        **{name: number(*WITHIN, meaning=meaning) for name, meaning in meanings.items()},
        "n_paragraphs": integer(1, meaning="Paragraphs of the sample."),
        "n_unique_tokens": integer(1, meaning="Different tokens among all that are counted."),
        "n_permutations": integer(1, meaning="Permutations of the null distribution."),
    }
