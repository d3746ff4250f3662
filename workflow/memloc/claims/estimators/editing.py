"""Estimators of the topic `editing`: effects of edits of all, top-gradient and random weights (paper 5.3).

Arms are compared at the dose that each needs: the mildest learning rate at which a paragraph is no longer
recited. At one rate for all, the rate would be compared, and not the arms.
"""

import pandas as pd

from memloc.claims.verdicts import NotApplicable, Tables
from memloc.settings.base import Section
from memloc.statistics.exact import Evidence, median, one_of_two, share


def top_unlearns_as_all(tables: Tables, settings: Section) -> Evidence:
    """Share of the paragraphs that all weights unlearn at some rate, and the top-gradient ones, too."""
    doses = _doses(tables, settings)["learning_rate"].unstack("arm").reindex(columns=["all", "top"])
    by_all = doses.dropna(subset="all")
    if by_all.empty:
        raise NotApplicable("at no learning rate do all weights unlearn a paragraph")
    return share(int(by_all["top"].notna().sum()), len(by_all))


def top_spares_controls(tables: Tables, settings: Section) -> Evidence:
    """Rise of the controls' NLL with all weights, minus the rise with the top-gradient ones, at their doses.

    Only paragraphs count that both unlearn.
    """
    doses = _doses(tables, settings)
    risen = (
        (doses["nll_control"] - doses["nll_control_before"]).unstack("arm").reindex(columns=["all", "top"])
    )
    return median((risen["all"] - risen["top"]).dropna())


def random_weights_do_nothing(tables: Tables, settings: Section) -> Evidence:
    """Share of the paragraphs that random weights leave recited at the top-gradient weights' dose."""
    rates = _doses(tables, settings)["learning_rate"].unstack("arm").reindex(columns=["top"])["top"].dropna()
    runs = _unlearned(tables).query("arm == 'random'").set_index(["id", "learning_rate"])
    at_dose = runs.loc[runs.index.intersection([*rates.items()]), "em_memorized"]
    return share(int((at_dose == settings.paragraph.continuation).sum()), len(at_dose))


def top_is_relearned_later(tables: Tables, settings: Section) -> Evidence:
    """Share of the paragraphs that take more steps to relearn after the top-gradient weights than after all.

    Only paragraphs count that both arms unlearn, each at its dose, and that take unequally many steps.
    """
    beyond = settings.editing.relearning_limit + 1  # for those that do not come back
    steps = _doses(tables, settings)["relearning_steps"].astype(float).fillna(beyond)
    both = steps.unstack("arm").reindex(columns=["top", "all"]).dropna()
    return one_of_two(both["top"] > both["all"], both["top"] < both["all"])


def _doses(tables: Tables, settings: Section) -> pd.DataFrame:
    """The run of each paragraph and arm (index: id, arm) at the mildest rate that unlearns the paragraph."""
    runs = _unlearned(tables)
    gone = runs[runs["em_memorized"] < settings.paragraph.continuation].sort_values("learning_rate")
    return gone.groupby(["id", "arm"], observed=True).head(1).set_index(["id", "arm"])


def _unlearned(tables: Tables) -> pd.DataFrame:
    return tables["edits"].query("objective == 'unlearn'")
