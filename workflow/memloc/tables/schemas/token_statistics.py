"""How likely every continuation token is."""

from memloc.tables.columns import PARAGRAPH, Columns, category, integer, number
from memloc.tables.schema import Lengths
from memloc.tables.terms.sets import UNSEEN


def token_statistics(lengths: Lengths) -> Columns:
    return {
        "id": PARAGRAPH,
        "set": category("memorized", "non_memorized", UNSEEN, meaning="Set of the paragraph."),
        "continuation": category(
            "corpus", "model", meaning="Whose continuation: the corpus's or the model's."
        ),
        "position": integer(
            lengths.prefix,
            lengths.paragraph - 1,
            unit="token position in the paragraph, from 0",
            meaning="Position of the token.",
        ),
        "nll": number(0, unit="nats", meaning="NLL of the token."),
    }
