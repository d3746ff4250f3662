"""What figures of attention to rare tokens share."""

import pandas as pd


def below_null(correlation: pd.DataFrame, name: str) -> pd.Series:
    """Whether each head's correlation is lower than 97.5 % of those under the null."""
    return correlation[name] < correlation[f"{name}_null_q025"]
