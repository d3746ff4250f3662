"""Estimators of the topic `rare_tokens`: does a head attend to the rarest tokens of a prefix (paper 6.3)?

The unit is a group of paragraphs (table rare_token_groups). Some of these paragraphs chose the head, but by
sizes of gradients and patches, which do not affect the mean rank of its attention.
"""

import pandas as pd

from memloc.claims.verdicts import Estimate, NotApplicable, Tables
from memloc.localization.highlight import head_of_other_methods, heads_like_it
from memloc.settings.base import Section
from memloc.statistics.studentised import lead, studentised


def localized_head_attends_to_rarer_tokens(tables: Tables, settings: Section) -> Estimate:
    """Preference for rare tokens of the head that the other methods point at, minus the mean of its layer's
    other heads."""
    preferences, head = _of_layer(tables, settings)
    more = preferences[head] - preferences.drop(columns=head).mean(axis=1)
    return Estimate.of(studentised(more), doubt=_tied(tables, settings))


def localized_head_leads_its_layer(tables: Tables, settings: Section) -> Estimate:
    """The same head's preference for rare tokens, minus its closest rival's in the layer."""
    preferences, head = _of_layer(tables, settings)
    found = lead(preferences.to_numpy(), preferences.columns.get_loc(head))
    return Estimate.of(found, doubt=_tied(tables, settings))


def _tied(tables: Tables, settings: Section) -> str | None:
    """The doubt if other heads could have been named as well; None if this is the only one."""
    heads = heads_like_it(tables, settings, "rare_tokens")
    if len(heads) == 1:
        return None
    return f"the other methods rank heads {', '.join(map(str, heads))} of its layer alike"


def _of_layer(tables: Tables, settings: Section) -> tuple[pd.DataFrame, int]:
    """Preferences of all heads of one layer, and the head of it that the other methods point at."""
    layer, head = head_of_other_methods(tables, settings, "rare_tokens")
    preferences = _preferences(tables["rare_token_groups"].query("layer == @layer"))
    if preferences.shape[1] == 1:
        raise NotApplicable("the layer has a single head")
    return preferences, head


def _preferences(groups: pd.DataFrame) -> pd.DataFrame:
    """Mean rank of tokens under exchanged attention, minus under a head's own, by group (rows) and head.

    In these mean ranks every occurrence counts. A correlation over ranks would have the noise of the few high
    ranks in its denominator.
    """
    names = ["attention_sum", "attention_expected"]
    ranked = groups.assign(**{f"ranked_{name}": groups[name] * groups["rank"] for name in names})
    sums = ranked.groupby(["group", "head"])[[*names, *(f"ranked_{name}" for name in names)]].sum()
    own, even = (sums[f"ranked_{name}"] / sums[name] for name in names)
    return (even - own).unstack("head").sort_index(axis=1)
