"""The number of repeats that analyses use: how often a model saw a continuation in training."""

import pandas as pd


def exposure(paragraphs: pd.DataFrame) -> pd.Series:
    """Occurrences of each continuation, or of each whole paragraph where continuations are not counted."""
    return paragraphs["continuation_count"].fillna(paragraphs["count"]).astype("int64")
