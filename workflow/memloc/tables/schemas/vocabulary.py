"""The text of the model's tokens."""

import pandera.pandas as pa

from memloc.tables.columns import column, integer
from memloc.tables.schema import Lengths, Schema


def _vocabulary(lengths: Lengths) -> dict[str, pa.Column]:
    return {
        "token": integer(0, unique=True, meaning="Token id."),
        "text": column("str", meaning="Text of the token."),
    }


VOCABULARY = Schema("vocabulary", _vocabulary)
