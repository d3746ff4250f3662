"""One prefix token perturbed at a time (paper 4)."""

from memloc.tables import columns
from memloc.tables.columns import PARAGRAPH, Column, Columns, Lengths, category, integer, nats, surviving

PERTURBED = "Position of the perturbed token"


def perturbation(lengths: Lengths) -> Columns:
    return {
        "id": PARAGRAPH,
        "set": category(
            "memorized",
            "non_memorized",
            nullable=True,
            meaning="Set whose sample the paragraph is in; missing if it is here for its pair alone.",
        ),
        "position": columns.position(-1, lengths.prefix, meaning=f"{PERTURBED}; -1: none is perturbed."),
        "draw": integer(0, meaning="Number of the random draw."),
        "token": integer(-1, meaning="Token there after the perturbation; -1: none is perturbed."),
        "em": surviving(lengths.continuation),
        "nll_original": nats(meaning="Mean NLL of the paragraph's own continuation."),
        "redecoded": Column("bool", meaning="A near-tie: decoded step by step instead of from one pass."),
    }


def perturbed_paragraphs(lengths: Lengths) -> Columns:
    return {
        "id": columns.ONE_PARAGRAPH,
        "position": columns.position(0, lengths.prefix, meaning=f"{PERTURBED}."),
        "token": integer(0, meaning="Token there after the perturbation."),
        "impact_position": columns.position(
            lengths.prefix, lengths.paragraph, meaning="First position at which the continuation changes."
        ),
        "tokens": columns.token_list(
            lengths.paragraph, meaning="Perturbed prefix, followed by the model's continuation of it."
        ),
        "em": surviving(lengths.continuation - 1),
        "nll": nats(meaning="Mean NLL of the perturbed paragraph's continuation."),
    }
