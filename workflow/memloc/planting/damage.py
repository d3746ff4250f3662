"""Which plants leave other text intact. A figure and a claim import this, so it imports nothing heavy."""

import pandas as pd

KEPT = 0.9  # share of the EM of memorized paragraphs, and of the tokens of own continuations, that must stay
MOST_NORM = 1.5  # largest `norm` of a place: its weights relative to others in its matrices


def intact(plants: pd.DataFrame) -> pd.Series:
    """Whether each plant reached the criterion, kept other text and left its weights an ordinary size."""
    memorized = plants["em_memorized"] >= KEPT * plants["em_memorized_before"]
    kept = (plants["own_kept"] >= KEPT) & (memorized | plants["em_memorized_before"].isna())
    return plants["reached"] & kept & (plants["norm"] <= MOST_NORM)
