"""How well a ranking of units finds those that hold a plant.

Ties count as the mean over all orders of the tied units, so a method that says nothing is at chance.
"""

import numpy as np
from jaxtyping import Bool, Float

TIMES = (1, 2, 5)  # the size of the place: how many of the first units are looked at


def place_scores(scores: Float[np.ndarray, "unit"], holds: Bool[np.ndarray, "unit"]) -> dict[str, float]:
    """Recall among the first k, 2 k and 5 k units (k = size of the place), average precision, AUROC, rank.

    Average precision takes tied units together. `rank` is that of the best-placed unit of the place, 1 =
    first. AUROC is missing (NaN) where every unit holds the place.

    Raises:
        ValueError: no unit holds it, or a score is no number.
    """
    if not holds.any() or np.isnan(scores).any():
        raise ValueError("a ranking needs numbers, and a place in it")
    everywhere, place = np.sort(scores), np.sort(scores[holds])
    n, k = len(scores), len(place)
    above = n - np.searchsorted(everywhere, place, side="right")
    tied = n - above - np.searchsorted(everywhere, place, side="left")
    below_in_place = np.searchsorted(place, place, side="left")
    tied_in_place = np.searchsorted(place, place, side="right") - below_in_place
    recall = {f"recall_{times}": float(np.clip((times * k - above) / tied, 0, 1).mean()) for times in TIMES}
    others_below = n - above - tied - below_in_place + (tied - tied_in_place) / 2
    return {
        **recall,
        "average_precision": float(((k - below_in_place) / (above + tied)).mean()),
        "auroc": float(others_below.mean() / (n - k)) if k < n else float("nan"),
        "rank": float((above + (tied + 1) / 2).min()),
    }
