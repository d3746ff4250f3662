"""Which plants leave other text intact. Imports nothing heavy: a figure and a claim read it."""

import pandas as pd

KEPT = 0.9  # share of the EM of memorized paragraphs, and of the tokens of own continuations, that must stay
MOST_NORM = 1.5  # times the size of the other weights in the place's matrices


def intact(plants: pd.DataFrame) -> pd.Series:
    """Whether each row of table `plants` is a memory and no damage: reached, others kept, norm ordinary."""
    memorized = plants["em_memorized"] >= KEPT * plants["em_memorized_before"]
    kept = (plants["own_kept"] >= KEPT) & (memorized | plants["em_memorized_before"].isna())
    return plants["reached"] & kept & (plants["norm"] <= MOST_NORM)
