"""Memorized and non-memorized sets and the samples drawn from them (paper 3.2)."""

from memloc.tables.columns import ONE_PARAGRAPH, Column, Columns, Lengths, category, n_tokens, token_list
from memloc.tables.terms.sets import SET_NAMES, UNSEEN

PAIR = "Pair of a memorized and another paragraph of equal count; missing without one."
CONTINUATION = "Continuation that the analyses use; missing where none uses the paragraph."
EDITS = "Fewest tokens to insert, delete or replace in the greedy continuation."
RUN = "Longest run of tokens that both continuations have in common, at any two places."


def sets(lengths: Lengths) -> Columns:
    return {
        "id": ONE_PARAGRAPH,
        "set": category(*SET_NAMES, UNSEEN, meaning="Set of the paragraph; controls have their own."),
        "sampled": Column("bool", meaning="Drawn for the analyses of its set."),
        "sampled_rare_tokens": Column("bool", meaning="Drawn for the analysis of rare tokens."),
        "pair": Column("Int64", low=0, nullable=True, unit="from 0", meaning=PAIR),
        "continuation": token_list(lengths.continuation, nullable=True, meaning=CONTINUATION),
    }


def near_verbatim(lengths: Lengths) -> Columns:
    return {
        "id": ONE_PARAGRAPH,
        "set": category(*SET_NAMES, UNSEEN, meaning="Set of the paragraph."),
        "n_edits": n_tokens(lengths.continuation, EDITS),
        "longest_run": n_tokens(lengths.continuation, RUN),
        "continuation": token_list(lengths.continuation, meaning="Greedy continuation."),
    }
