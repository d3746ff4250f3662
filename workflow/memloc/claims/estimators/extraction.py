"""Estimators of the topic `extraction`: which paragraphs come out under sampling (2410.19482)?"""

import pandas as pd

from memloc.claims.unlike import larger_of_two
from memloc.claims.verdicts import NotApplicable, Tables
from memloc.scoring.sampling import extractable
from memloc.settings.base import Section
from memloc.statistics.exact import Evidence
from memloc.tables.terms.sets import HELD_OUT, UNSEEN


def seen_come_out_more_than_unseen(
    tables: Tables, settings: Section, n_draws: int, confidence: float
) -> Evidence:
    """Of the random pairs of a repeated and an unseen paragraph of which n draws give one alone with this
    confidence, the share in which it is the repeated one. Text of one file comes out together."""
    data = tables["sets"].merge(tables["paragraphs"], on="id").merge(tables["extraction"], on="id")
    data = data.set_index("id")
    out = pd.Series(extractable(data["log_p"].to_numpy(), n_draws, confidence), data.index)
    unseen = data["set"] == UNSEEN
    if not unseen.any():
        raise NotApplicable("no paragraph is known to be unseen")
    repeated = ~unseen & (data["set"] != HELD_OUT) & (data["count"] > 1)
    judged = repeated | unseen
    files = data["file"].fillna(data.index.to_series().astype(str))
    return larger_of_two(out[judged], repeated[judged], tables, group=files[judged])
