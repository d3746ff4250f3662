"""Estimators of the topic `rare_tokens`: does a head attend to the rarest tokens of a prefix (paper 6.3)?

The unit is a group of paragraphs (table rare_token_groups). Some of these paragraphs chose the head, but by
sizes of gradients and patches, which do not affect the mean rank of its attention.
"""

import pandas as pd

from memloc.claims.verdicts import Estimate, NotApplicable, Tables
from memloc.localization.highlight import head_of_other_methods
from memloc.settings.base import Section
from memloc.statistics.studentised import lead, studentised


def localized_head_attends_to_rarer_tokens(tables: Tables, settings: Section) -> Estimate:
    """Preference for rare tokens of the head that the other methods point at; 0: it has none."""
    head = head_of_other_methods(tables["head_ranking"], settings, "rare_tokens")
    return Estimate.of(studentised(_preferences(tables["rare_token_groups"])[head]))


def localized_head_leads_its_layer(tables: Tables, settings: Section) -> Estimate:
    """Preference of that head for rare tokens, minus that of its closest rival in the layer."""
    layer, head = head_of_other_methods(tables["head_ranking"], settings, "rare_tokens")
    of_layer = _preferences(tables["rare_token_groups"].query("layer == @layer"))
    if of_layer.shape[1] == 1:
        raise NotApplicable("the layer has a single head")
    return Estimate.of(lead(of_layer.to_numpy(), of_layer.columns.get_loc((layer, head))))


def _preferences(groups: pd.DataFrame) -> pd.DataFrame:
    """Mean rank of tokens under exchanged attention, minus under a head's own, by group (rows) and head.

    In these mean ranks every occurrence counts. A correlation over ranks would have the noise of the few high
    ranks in its denominator.
    """
    names = ["attention_sum", "attention_expected"]
    ranked = groups.assign(**{f"ranked_{name}": groups[name] * groups["rank"] for name in names})
    sums = ranked.groupby(["group", "layer", "head"])[[*names, *(f"ranked_{name}" for name in names)]].sum()
    own, even = (sums[f"ranked_{name}"] / sums[name] for name in names)
    return (even - own).unstack(["layer", "head"]).sort_index(axis=1)
