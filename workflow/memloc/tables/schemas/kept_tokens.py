"""A few tokens of a prefix kept, all others replaced (not in the paper)."""

from memloc.tables.columns import PARAGRAPH, Columns, category, integer, number
from memloc.tables.schema import Lengths
from memloc.tables.terms.kept_tokens import KEPT


def kept_tokens(lengths: Lengths) -> Columns:
    return {
        "id": PARAGRAPH,
        "kept": category(
            *KEPT, meaning="Which tokens are kept: those whose perturbation costs most, or random ones."
        ),
        "n_kept": integer(
            1, lengths.prefix - 1, unit="tokens", meaning="Tokens of the prefix that are kept."
        ),
        "draw": integer(0, meaning="Number of the random draw."),
        "em": integer(
            0,
            lengths.continuation,
            unit="tokens",
            meaning="Leading tokens of the paragraph's own continuation that survive.",
        ),
        "nll": number(0, unit="nats per token", meaning="Mean NLL of the paragraph's own continuation."),
    }
