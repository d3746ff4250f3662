"""Where the paragraphs of the user's own text stand: file, document in it, first token."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from jaxtyping import Int

from memloc.data.groups import joined


def numbered(files: Sequence[str]) -> pd.DataFrame:
    """File of each document, and the document's number in it, from 0."""
    found = pd.DataFrame({"file": files})
    return found.assign(document=found.groupby("file", sort=False).cumcount())


def texts_of(
    paragraph: Int[np.ndarray, "place"], document: Int[np.ndarray, "place"]
) -> Int[np.ndarray, "paragraph"]:
    """Which text each paragraph comes from: documents that share a paragraph are one text.

    So paragraphs that overlap anywhere come from one text. Places name every paragraph from 0 on.
    """
    return joined(paragraph, document)[np.unique(paragraph, return_index=True)[1]]
