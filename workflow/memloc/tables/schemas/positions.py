"""Scores of sampled paragraphs at other positions and after other text."""

from memloc.tables.columns import NLL, PARAGRAPH, Columns, Lengths, category, exact_match, integer
from memloc.tables.terms.sets import REPEATED, UNSEEN

CONTEXTS = ("start", "bare", "end_of_text", "text", "shifted", "half_prefix")


def positions(lengths: Lengths) -> Columns:
    return {
        "group": category(
            "memorized",
            "non_memorized",
            UNSEEN,
            REPEATED,
            meaning="Set of the paragraph, or paragraphs of any set that occur more than once (repeated).",
        ),
        "id": PARAGRAPH,
        "context": category(
            *CONTEXTS,
            meaning="Place of the paragraph: as in `scores` (start), after nothing (bare), after "
            "end-of-text, after unrelated text, at later position ids (shifted), or without the first half "
            "of its prefix (half_prefix).",
        ),
        "n_before": integer(
            0, unit="positions", meaning="Positions before it, without the token of `paragraph.before`."
        ),
        "draw": integer(0, meaning="Number of the text among those that are drawn for it."),
        "em": exact_match(lengths.continuation),
        "nll": NLL,
    }
