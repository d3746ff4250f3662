"""One prefix token perturbed at a time (paper 4)."""

from memloc.settings.perturbation import KINDS
from memloc.tables.columns import PARAGRAPH, Column, Columns, category, integer, number, token_list
from memloc.tables.schema import Lengths


def perturbation(lengths: Lengths) -> Columns:
    return {
        "id": PARAGRAPH,
        "set": category(
            "memorized",
            "non_memorized",
            nullable=True,
            meaning="Set whose sample the paragraph is in; missing if it is here for its pair alone.",
        ),
        "position": integer(
            -1,
            lengths.prefix - 1,
            unit="token position in the paragraph, from 0",
            meaning="Position of the perturbed token; -1 is the paragraph as it is.",
        ),
        "draw": integer(0, meaning="Number of the random draw."),
        "token": integer(-1, meaning="Token that is there then; -1 for the paragraph as it is."),
        "em": integer(
            0,
            lengths.continuation,
            unit="tokens",
            meaning="Leading tokens of the paragraph's own continuation that survive.",
        ),
        "nll_original": number(
            0, nullable=True, unit="nats per token", meaning="Mean NLL of the paragraph's own continuation."
        ),
        "nll_generated": number(
            0,
            nullable=True,
            unit="nats per token",
            meaning="Mean NLL of the greedy continuation of the perturbed prefix.",
        ),
        "kind": category(*KINDS, meaning="What is done to the token."),
        "redecoded": Column("bool", meaning="A near-tie: decoded step by step instead of from one pass."),
    }


def perturbed_paragraphs(lengths: Lengths) -> Columns:
    return {
        "id": integer(0, unique=True, meaning="Paragraph."),
        "position": integer(
            0,
            lengths.prefix - 1,
            unit="token position in the paragraph, from 0",
            meaning="Position of the perturbed token.",
        ),
        "token": integer(0, meaning="Token that is there then."),
        "impact_position": integer(
            lengths.prefix,
            lengths.paragraph - 1,
            unit="token position in the paragraph, from 0",
            meaning="First position at which the continuation changes.",
        ),
        "tokens": token_list(
            lengths.paragraph, meaning="Perturbed prefix, followed by the model's continuation of it."
        ),
        "em": integer(
            0,
            lengths.continuation - 1,
            unit="tokens",
            meaning="Leading tokens of the paragraph's own continuation that survive.",
        ),
        "nll": number(
            0, unit="nats per token", meaning="Mean NLL of the perturbed paragraph's continuation."
        ),
    }
