"""Estimators of the topic `recency`: when in the training a paragraph was seen."""

import numpy as np

from memloc.claims.verdicts import Estimate, NotApplicable, Tables
from memloc.data.recency import recency
from memloc.data.sets import NO_PAIRS, exposure, paired_differences, pairs, without_controls
from memloc.settings.base import Section
from memloc.statistics.studentised import studentised


def recited_were_seen_later(tables: Tables, settings: Section) -> Estimate:
    """Place of the last occurrence in training, the memorized minus the other paragraph of a pair of equal
    exposure. As many pairs are made as possible, not only the sampled ones."""
    if "training_stream" not in tables:
        raise NotApplicable("the order of the training text is not known")
    last = recency(tables["training_stream"], settings.paragraph.length, settings.model)["last"]
    data = without_controls(tables["sets"]).merge(tables["paragraphs"], on="id")
    memorized = data["set"] == "memorized"
    data["pair"] = pairs(exposure(data), memorized, len(data), np.random.default_rng(0))
    differences = paired_differences(last, data)
    if differences.empty:
        raise NotApplicable(NO_PAIRS)
    return Estimate.of(studentised(differences))
