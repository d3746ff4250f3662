"""Independent random streams, which depend on the study's seed and on their names."""

import zlib

import numpy as np


def generator(seed: int, *names: str) -> np.random.Generator:
    """Random generator of the stream `names` (for example "sets", "memorized").

    Streams are independent of each other, so adding a draw in one stage changes no other stage.
    """
    return np.random.default_rng([seed, *(zlib.crc32(name.encode()) for name in names)])
