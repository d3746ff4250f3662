"""Arrays of the page as numbers again."""

import base64

import numpy as np


def unpacked(found: dict) -> np.ndarray:
    """The array that `base64_array` packed."""
    return np.frombuffer(base64.b64decode(found["data"]), "<f4").reshape(found["shape"])
