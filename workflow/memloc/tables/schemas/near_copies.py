"""Copies of paragraphs that differ a little, what each is worth, and kinds of recited paragraphs."""

from memloc.tables import columns
from memloc.tables.columns import Columns, Lengths, category, integer, number
from memloc.tables.terms.near_copies import KINDS, NESTED, SEARCHED, WRITTEN


def near_copies(lengths: Lengths) -> Columns:
    within = {
        f"within_{share}": integer(
            0,
            dtype="Int64" if share in WRITTEN else "int64",
            nullable=share in WRITTEN,
            unit="occurrences in the training text",
            meaning=f"Occurrences with at most {share} % of the tokens edited; none overlap. Those beyond "
            "10 % are known of written copies only.",
        )
        for share in (*SEARCHED, *WRITTEN)
    }
    return {
        "id": columns.ONE_PARAGRAPH,
        **within,
        "expected": number(
            0,
            1,
            nullable=True,
            unit="probability",
            meaning="Chance of recitation by the fit; missing: no exact copy, or nothing fitted.",
        ),
    }


def kinds(lengths: Lengths) -> Columns:
    return {
        "id": columns.ONE_PARAGRAPH,
        "kind": category(
            *KINDS,
            meaning="Kind of the recited paragraph: a rule gets it without having seen it, it occurs more "
            "than five times, or neither.",
        ),
        "template": number(
            0, 1, unit="share", meaning="Tokens of its continuation in lines that repeat an earlier line."
        ),
        "ngram_em": columns.n_tokens(
            lengths.continuation,
            meaning="Leading tokens of it that the n-grams of other files get, without near-copies.",
        ),
    }


def copy_worth(lengths: Lengths) -> Columns:
    def worth(*, meaning: str) -> columns.Column:
        return number(0, nullable=True, unit="exact copies", meaning=meaning)

    return {
        "copies": category(
            *NESTED[1:],
            meaning="Kind of near-copy: column of `near_copies`, without what the one before it counts.",
        ),
        "n_paragraphs": integer(0, unit="paragraphs", meaning="Seen paragraphs that have such copies."),
        "n_groups": integer(0, unit="files", meaning="Files, or modules, that these paragraphs are from."),
        "worth": worth(meaning="Exact copies that one such copy stands for; missing: too few to say."),
        "low": worth(meaning="Low end of its interval, 95 %, over files; missing: no interval."),
        "high": worth(meaning="High end."),
    }
