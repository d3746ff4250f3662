"""Estimators of the topic `head_ablation`: do memorized paragraphs lose more without a head than others?

Memorized paragraphs are compared with others that occur equally often (pairs). The NLL judges: EM ends at the
first mistake, so it falls more easily where the model is less sure.
"""

import pandas as pd

from memloc.claims.named_head import Place, place_of
from memloc.claims.verdicts import NotApplicable, Tables
from memloc.data.sets import NO_PAIRS, paired_differences
from memloc.localization.highlight import highlighted_head
from memloc.settings.base import Section
from memloc.tables.judged_texts import PAIRED


def highlighted_head_is_needed(tables: Tables, settings: Section) -> Place:
    """Place of the highlighted head by the NLL gained without it, memorized minus the other."""
    return place_of(highlighted_head(tables, settings), gained_by_pair(tables).mean())


def gained_by_pair(tables: Tables) -> pd.DataFrame:
    """NLL gained without each head (columns: layer, head), memorized minus the other paragraph, by pair."""
    table = tables["head_ablation"]
    rows = table[table["group"] == PAIRED]
    wide = rows.pivot(index="id", columns=["layer", "head"], values="nll_gained")
    gained = paired_differences(wide, tables["sets"])
    if gained.empty:
        raise NotApplicable(NO_PAIRS)
    return gained
