"""Estimators of the topic `recency`: when in the training a paragraph was seen."""

import numpy as np

from memloc.claims.verdicts import NotApplicable, Tables
from memloc.data.recency import places_in_training
from memloc.data.sets import NO_PAIRS, exposure, trained_on
from memloc.detection.groups import equal_pairs
from memloc.settings.base import Section
from memloc.statistics.exact import Evidence, one_of_two


def recited_were_seen_later(tables: Tables, settings: Section) -> Evidence:
    """Of the random pairs of a memorized and another paragraph of equal exposure, the share in which the
    memorized one was last seen later. Paragraphs that are last seen in one document come together, so each
    document is in one pair at most."""
    if "training_stream" not in tables:
        raise NotApplicable("the order of the training text is not known")
    ends = np.cumsum(tables["training_stream"]["tokens"].map(len) + 1)
    place = tables["occurrences"]["place"].to_numpy()
    when = places_in_training(place, int(ends.iloc[-1]), settings.model)
    seen = tables["occurrences"].assign(when=when, document=np.searchsorted(ends, place, side="right"))
    last = seen.sort_values("when").drop_duplicates("id", keep="last")
    data = trained_on(tables["sets"]).merge(tables["paragraphs"], on="id").merge(last, on="id")
    memorized = (data["set"] == "memorized").to_numpy()
    pairs = equal_pairs(exposure(data).to_numpy(), memorized, data["document"].to_numpy())
    if not len(pairs):
        raise NotApplicable(NO_PAIRS)
    own, others = data["when"].to_numpy()[pairs].T
    return one_of_two(own > others, own < others)
