"""Table `prefix_features`: its paragraphs, and its rows from the features of one pass over their prefixes."""

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from memloc.data.sets import exposure, sample_ids
from memloc.detection.features import PrefixFeatures
from memloc.run.seeds import generator
from memloc.settings.detection import MIN_K_PERCENT


def draw_sample(paragraphs: pd.DataFrame, n_repeated: int, n_others: int, seed: int) -> pd.DataFrame:
    """Draw paragraphs by how often they occur, whether the model recites them or not.

    At most `n_repeated` of them occur more than once, at most `n_others` once, and at most `n_others` are
    unseen. `paragraphs` has id, count, continuation_count and unseen; the rows that are drawn come back in
    their order, with `exposure`.
    """
    repeats = exposure(paragraphs)
    groups = {
        "repeated": (~paragraphs["unseen"] & (repeats > 1), n_repeated),
        "once": (~paragraphs["unseen"] & (repeats <= 1), n_others),
        "unseen": (paragraphs["unseen"], n_others),
    }
    drawn = [
        sample_ids(paragraphs["id"][rows], n, generator(seed, "detection", name)).to_series()
        for name, (rows, n) in groups.items()
    ]
    found = paragraphs.assign(exposure=repeats)
    return found[found["id"].isin(pd.concat(drawn))].reset_index(drop=True)


def scalar_features(
    found: PrefixFeatures, n_bytes: Int[np.ndarray, "paragraph lead"], n_seen: Sequence[int]
) -> dict[str, Float[np.ndarray, "paragraph lead"]]:
    """The baselines that are one number for each paragraph and lead time.

    nll and min_k: mean NLL of all tokens that are seen, and of the MIN_K_PERCENT % least likely ones. zlib:
    summed NLL per compressed byte.
    """
    nll = found.nll.double().numpy()
    columns = {name: [] for name in ("nll", "min_k", "zlib")}
    for lead, n in enumerate(n_seen):
        seen, n_least = nll[:, : n - 1], -int(-(n - 1) * MIN_K_PERCENT // 100)
        columns["nll"].append(seen.mean(axis=1))
        columns["min_k"].append(np.sort(seen, axis=1)[:, -n_least:].mean(axis=1))
        columns["zlib"].append(seen.sum(axis=1) / n_bytes[:, lead])
    return {name: np.stack(column, axis=1) for name, column in columns.items()}


def feature_frames(
    ids: Int[np.ndarray, "paragraph"],
    found: PrefixFeatures,
    scalars: dict[str, Float[np.ndarray, "paragraph lead"]],
    n_seen: Sequence[int],
) -> Iterable[pd.DataFrame]:
    """Table `prefix_features`: a piece for each lead time and kind, which goes paragraph by paragraph."""
    for lead, n in enumerate(n_seen):
        kinds = {name: values[:, lead, None] for name, values in scalars.items()}
        for name, values in (kinds | {"residual": found.residual[:, lead].numpy()}).items():
            n_paragraphs, width = values.shape
            columns = {
                "id": np.repeat(ids.astype(np.int32), width),
                "n_seen": np.int16(n),
                "features": name,
                "index": np.tile(np.arange(width, dtype=np.int32), n_paragraphs),
                "value": values.astype(np.float32).ravel(),
            }
            yield pd.DataFrame(columns)
