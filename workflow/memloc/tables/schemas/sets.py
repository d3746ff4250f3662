"""Memorized and non-memorized sets and the samples drawn from them (paper 3.2)."""

from memloc.tables import columns
from memloc.tables.columns import ONE_PARAGRAPH, Column, Columns, Lengths, category, n_tokens, token_list
from memloc.tables.terms.sets import HELD_OUT, SET_NAMES, UNSEEN


def sets(lengths: Lengths) -> Columns:
    return {
        "id": ONE_PARAGRAPH,
        "set": category(
            *SET_NAMES,
            UNSEEN,
            HELD_OUT,
            meaning="Set of the paragraph; unseen ones, and what else is held out, have their own.",
        ),
        "sampled": Column("bool", meaning="Drawn for the analyses of its set."),
        "sampled_rare_tokens": Column("bool", meaning="Drawn for the analysis of rare tokens."),
        "pair": columns.integer(
            0,
            nullable=True,
            unit="from 0",
            meaning="Pair of a memorized and another paragraph of equal exposure, and of similar near_count "
            "where that is known; missing without one.",
        ),
        "continuation": token_list(
            lengths.continuation,
            nullable=True,
            meaning="Continuation that the analyses use; missing where none uses the paragraph.",
        ),
    }


def near_verbatim(lengths: Lengths) -> Columns:
    return {
        "id": ONE_PARAGRAPH,
        "set": category(*SET_NAMES, UNSEEN, meaning="Set of the paragraph."),
        "n_edits": n_tokens(
            lengths.continuation,
            meaning="Fewest tokens to insert, delete or replace in the greedy continuation.",
        ),
        "continuation": token_list(lengths.continuation, meaning="Greedy continuation."),
    }
