"""Is harm specific to memorized paragraphs? Any larger harm also makes a larger difference between texts."""

import numpy as np
import pandas as pd

from memloc.data.sets import paired_values
from memloc.statistics.studentised import studentised

SLIGHT = 0.02  # nats per token: the ratio of smaller harms is noise
DESTROYED = 5.0  # nats per token: harm that raises the mean NLL by more leaves no model to compare


def in_proportion(gained: pd.DataFrame, sets: pd.DataFrame) -> str | None:
    """A doubt, if memorized paragraphs lose more than others by more nats than in the control, but by a ratio
    that is not shown to be larger; else None.

    `gained` has the nats per token that each paragraph gains in NLL (rows: id) by the disturbance that should
    be specific, and by its control (the two columns, in this order).
    """
    pairs = paired_values(gained, sets)
    memorized, others = (values.mean() for values in pairs)
    ratios, more = (memorized / others).to_numpy(), (memorized - others).to_numpy()
    if min(memorized.iloc[1], *others) <= SLIGHT or more[0] <= more[1]:
        return None
    parts = (pairs[0] / memorized - pairs[1] / others).to_numpy()  # of the logs of both ratios, by pair
    if studentised(np.log(ratios[0] / ratios[1]) + parts[:, 0] - parts[:, 1]).low > 0:
        return None
    return (
        f"memorized paragraphs lose {ratios[0]:.2f} times as much as the others, in the control "
        f"{ratios[1]:.2f} times: more harm, and not shown to be more specific"
    )
