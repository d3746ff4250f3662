"""Estimators of the topic `recency`: when in the training a paragraph was seen."""

import numpy as np

from memloc.claims.unlike import larger_of_two
from memloc.claims.verdicts import NotApplicable, Tables
from memloc.data.recency import places_in_training
from memloc.data.sets import exposure, trained_on
from memloc.settings.base import Section
from memloc.statistics.exact import Evidence


def recited_were_seen_later(tables: Tables, settings: Section) -> Evidence:
    """Of random pairs of a memorized and another paragraph of equal exposure, the share in which the
    memorized one was last seen later. Paragraphs that are last seen in one document come together, so each
    document is in one pair at most."""
    if "training_stream" not in tables:
        raise NotApplicable("the order of the training text is not known")
    ends = np.cumsum(tables["training_stream"]["tokens"].map(len) + 1)
    place = tables["occurrences"]["place"].to_numpy()
    when = places_in_training(place, int(ends.iloc[-1]), settings.model)
    seen = tables["occurrences"].assign(when=when, document=np.searchsorted(ends, place, side="right"))
    last = seen.sort_values("when").drop_duplicates("id", keep="last")
    data = (
        trained_on(tables["sets"]).merge(tables["paragraphs"], on="id").merge(last, on="id").set_index("id")
    )
    memorized, documents = data["set"] == "memorized", data["document"]
    return larger_of_two(data["when"], memorized, tables, exposure(data), documents)
