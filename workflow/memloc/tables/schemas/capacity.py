"""Bits of random tokens that models of several sizes hold."""

from memloc.tables.columns import Columns, Lengths, integer, nats, number


def capacity(lengths: Lengths) -> Columns:
    return {
        "weights": integer(1, unit="weights", meaning="Weights; one matrix embeds and unembeds."),
        "length": integer(2, unit="tokens", meaning="Tokens of a window; the first one is given."),
        "tokens": integer(1, unit="tokens", meaning="Tokens of the text that are predicted."),
        "text_bits": number(0, unit="bits", meaning="Bits of these: tokens times log2 of the vocabulary."),
        "passes": integer(1, meaning="Passes over the text."),
        "steps": integer(1, meaning="Training steps."),
        "nll": nats(meaning="Mean NLL of the text after them."),
        "bits": number(unit="bits", meaning="Bits that the model holds; below 0: it is worse than chance."),
        "bits_per_weight": number(unit="bits per weight", meaning="Bits by weights."),
    }
