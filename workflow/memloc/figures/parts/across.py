"""A look for each model, which figures across models share."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib import colormaps

from memloc.figures.parts.style import MARKERS, SEQUENTIAL

DASHES = ("-", "--", "-.", ":")
LIGHTEST = 0.8  # of the colour map: lighter lines are faint on white


def looks(models: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """Colour, marker and dashes of every model: darker is smaller, and none of the three is needed alone."""
    places = np.linspace(0, LIGHTEST, len(models))
    return {
        model: {
            "color": colormaps[SEQUENTIAL](place),
            "marker": MARKERS[number % len(MARKERS)],
            "ls": DASHES[number % len(DASHES)],
            "ms": 3,
            "label": model,
        }
        for number, (model, place) in enumerate(zip(models["model"], places, strict=True))
    }
