"""Estimators of the topic `recency`: when in the training a paragraph was seen."""

import numpy as np
import pandas as pd

from memloc.claims.verdicts import NotApplicable, Tables
from memloc.data.recency import recency
from memloc.data.sets import NO_PAIRS, exposure, without_controls
from memloc.settings.base import Section
from memloc.statistics.exact import Evidence, median


def recited_were_seen_later(tables: Tables, settings: Section) -> Evidence:
    """For each memorized paragraph, the share of the others of equal exposure that were last seen before it.

    Those that were last seen at once count half.
    """
    if "training_stream" not in tables:
        raise NotApplicable("the order of the training text is not known")
    last = recency(tables["occurrences"], tables["training_stream"], settings.model)["last"]
    data = without_controls(tables["sets"]).merge(tables["paragraphs"], on="id")
    data = data.assign(last=data["id"].map(last), exposure=exposure(data)).dropna(subset="last")
    shares = [share for _, group in data.groupby("exposure") for share in _seen_before(group)]
    if not shares:
        raise NotApplicable(NO_PAIRS)
    return median(shares)


def _seen_before(group: pd.DataFrame) -> list[float]:
    """Share of the other paragraphs of a group that were last seen before each memorized one."""
    memorized = group["set"] == "memorized"
    own, others = (group.loc[rows, "last"].to_numpy() for rows in (memorized, ~memorized))
    if not len(others):
        return []
    return [float(np.mean(others < last) + np.mean(others <= last)) / 2 for last in own]
