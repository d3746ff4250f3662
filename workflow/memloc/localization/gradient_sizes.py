"""Sizes of each paragraph's own gradient, which are comparable between paragraphs and sets.

In the gradient of a mean, differences between paragraphs cancel, and more so in larger sets.
"""

import numpy as np
import pandas as pd


def paragraph_sizes(gradients: pd.DataFrame) -> pd.DataFrame:
    """Measures of each paragraph of table `paragraph_gradients`, by id.

    Returns:
        log_nll, log_size (log of the sum of all |gradients|) and lower_share (share of the scores that lies
        in the lower half of layers).
    """
    lower = gradients[gradients["layer"] < gradients["layer"].nunique() // 2]
    whole = gradients.groupby("id").agg({"nll": "first", "sum_abs": "sum", "score_sum": "sum"})
    return pd.DataFrame(
        {
            "log_nll": np.log(whole["nll"]),
            "log_size": np.log(whole["sum_abs"]),
            "lower_share": lower.groupby("id")["score_sum"].sum() / whole["score_sum"],
        }
    )
