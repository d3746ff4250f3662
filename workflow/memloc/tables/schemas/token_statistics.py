"""NLL of every continuation token."""

from memloc.tables import columns
from memloc.tables.columns import PARAGRAPH, Columns, Lengths, category, number
from memloc.tables.terms.sets import UNSEEN


def token_statistics(lengths: Lengths) -> Columns:
    whose = "Source of the continuation: the corpus or the model."
    return {
        "id": PARAGRAPH,
        "set": category("memorized", "non_memorized", UNSEEN, meaning="Set of the paragraph."),
        "continuation": category("corpus", "model", meaning=whose),
        "position": columns.position(lengths.prefix, lengths.paragraph, "Position of the token."),
        "nll": number(0, unit="nats", meaning="NLL of the token."),
    }
