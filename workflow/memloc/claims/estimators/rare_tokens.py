"""Estimators of the topic `rare_tokens`: does a head attend to the rarest tokens of a prefix (paper 6.3)?"""

import pandas as pd

from memloc.claims.named_head import Place, place_of
from memloc.claims.verdicts import Tables
from memloc.localization.highlight import head_of_other_methods
from memloc.settings.base import Section


def localized_head_attends_to_rarer_tokens(tables: Tables, settings: Section) -> Place:
    """Place of the head that the other methods point at, by its preference for rare tokens."""
    head = head_of_other_methods(tables, settings, "rare_tokens")
    return place_of(head, _preferences(tables["rare_token_groups"]))


def _preferences(groups: pd.DataFrame) -> pd.Series:
    """Mean rank of tokens under exchanged attention, minus under a head's own, by layer and head.

    In these mean ranks every occurrence counts. A correlation over ranks would have the noise of the few high
    ranks in its denominator.
    """
    names = ["attention_sum", "attention_expected"]
    ranked = groups.assign(**{f"ranked_{name}": groups[name] * groups["rank"] for name in names})
    sums = ranked.groupby(["layer", "head"])[[*names, *(f"ranked_{name}" for name in names)]].sum()
    own, even = (sums[f"ranked_{name}"] / sums[name] for name in names)
    return even - own
