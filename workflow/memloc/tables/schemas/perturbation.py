"""One prefix token perturbed at a time (paper 4), or all but a few."""

from memloc.tables import columns
from memloc.tables.columns import PARAGRAPH, Column, Columns, Lengths, category, integer, n_tokens, nats
from memloc.tables.terms.kept_tokens import KEPT

SAMPLED = "Set whose sample the paragraph is in; missing if it is here for its pair alone."
PERTURBED = "Position of the perturbed token"


def perturbation(lengths: Lengths) -> Columns:
    return {
        "id": PARAGRAPH,
        "set": category("memorized", "non_memorized", nullable=True, meaning=SAMPLED),
        "position": columns.position(-1, lengths.prefix, f"{PERTURBED}; -1: none is perturbed."),
        "draw": integer(0, meaning="Number of the random draw."),
        "token": integer(-1, meaning="Token there after the perturbation; -1: none is perturbed."),
        "em": n_tokens(lengths.continuation, columns.OWN_CONTINUATION),
        "nll_original": nats("Mean NLL of the paragraph's own continuation.", nullable=True),
        "redecoded": Column("bool", meaning="A near-tie: decoded step by step instead of from one pass."),
    }


def perturbed_paragraphs(lengths: Lengths) -> Columns:
    impact = "First position at which the continuation changes."
    tokens = "Perturbed prefix, followed by the model's continuation of it."
    return {
        "id": columns.ONE_PARAGRAPH,
        "position": columns.position(0, lengths.prefix, f"{PERTURBED}."),
        "token": integer(0, meaning="Token there after the perturbation."),
        "impact_position": columns.position(lengths.prefix, lengths.paragraph, impact),
        "tokens": columns.token_list(lengths.paragraph, meaning=tokens),
        "em": n_tokens(lengths.continuation - 1, columns.OWN_CONTINUATION),
        "nll": nats("Mean NLL of the perturbed paragraph's continuation."),
    }


def kept_tokens(lengths: Lengths) -> Columns:
    which = "Choice of the kept tokens: those whose perturbation costs most, or random ones."
    kept = integer(1, lengths.prefix - 1, unit="tokens", meaning="Tokens of the prefix that are kept.")
    return {
        "id": PARAGRAPH,
        "kept": category(*KEPT, meaning=which),
        "n_kept": kept,
        "draw": integer(0, meaning="Number of the random draw."),
        "em": n_tokens(lengths.continuation, columns.OWN_CONTINUATION),
        "nll": nats("Mean NLL of the paragraph's own continuation."),
    }
