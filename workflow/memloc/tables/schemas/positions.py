"""Scores of paragraphs at other positions and after other text."""

from memloc.tables.columns import NLL, PARAGRAPH, Columns, category, exact_match, integer
from memloc.tables.schema import Lengths
from memloc.tables.terms.sets import UNSEEN

CONTEXTS = ("start", "bare", "end_of_text", "text", "shifted")
CONTEXT = (
    "What stands before it: what it is scored with, nothing, end-of-text, unrelated text, or position ids "
)


def positions(lengths: Lengths) -> Columns:
    return {
        "group": category("memorized", "non_memorized", UNSEEN, meaning="Set of the paragraph."),
        "id": PARAGRAPH,
        "context": category(*CONTEXTS, meaning=f"{CONTEXT}alone."),
        "n_before": integer(0, unit="positions", meaning="How much later than from position 0 it begins."),
        "draw": integer(0, meaning="Which of the texts that are drawn for it."),
        "em": exact_match(lengths.continuation),
        "nll": NLL,
    }
