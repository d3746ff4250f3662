"""A small table of scores, and a provenance that its schema depends on."""

import numpy as np
import pandas as pd

STAMP = {"study": "x", "seed": 0, "paragraph": {"length": 6, "prefix": 4}, "versions": {"python": "3"}}


def scores(**changes):
    frame = pd.DataFrame(
        {
            "id": range(8),
            "em": [0, 1, 2, 2, 1, 0, 1, 2],
            "nll": np.linspace(0.1, 3, 8),
            "margin": np.linspace(1, 2, 8),
            "redecoded": [True, False] * 4,
        }
    )
    return frame.assign(**changes)
