"""How heads spread a score over the tokens of a prefix, for captions on gradients and attention.

A profile is the row of one paragraph and head: a value per prefix position.
"""

import pandas as pd

from memloc.figures.parts.token_map import label


def strongest_tokens(profile: pd.Series, texts: list[str], n: int) -> list[tuple[str, int]]:
    """The tokens with the `n` largest values, largest first, and their positions: a token may occur twice."""
    return [(label(texts[position]), int(position)) for position in profile.nlargest(n).index]
