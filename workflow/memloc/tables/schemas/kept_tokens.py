"""A few tokens of a prefix kept, all others replaced (not in the paper)."""

from memloc.tables.columns import OWN_CONTINUATION, PARAGRAPH, Columns, category, integer, n_tokens, nats
from memloc.tables.schema import Lengths
from memloc.tables.terms.kept_tokens import KEPT


def kept_tokens(lengths: Lengths) -> Columns:
    which = "Which tokens are kept: those whose perturbation costs most, or random ones."
    kept = integer(1, lengths.prefix - 1, unit="tokens", meaning="Tokens of the prefix that are kept.")
    return {
        "id": PARAGRAPH,
        "kept": category(*KEPT, meaning=which),
        "n_kept": kept,
        "draw": integer(0, meaning="Number of the random draw."),
        "em": n_tokens(lengths.continuation, OWN_CONTINUATION),
        "nll": nats("Mean NLL of the paragraph's own continuation."),
    }
