"""Losses of paragraphs when weights are disturbed."""

from memloc.tables.columns import Columns, Lengths, category, integer, number
from memloc.tables.judged_texts import judged_text


def weight_noise(lengths: Lengths) -> Columns:
    return {
        "arm": category("top", "random", meaning="Weights that are disturbed."),
        "size": number(0, meaning="Size of the noise, in standard deviations of all W_* weights."),
        "draw": integer(0, meaning="Number of the random draw."),
        "n_weights": integer(1, meaning="Weights that are disturbed."),
        **judged_text(lengths),
    }
