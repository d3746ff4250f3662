"""Estimators of the topic `editing`: effects of edits of all, top-gradient and random weights (paper 5.3).

Arms are compared at the dose that each needs: the mildest learning rate at which a paragraph is no longer
recited. At one rate for all, the rate would be compared, and not the arms.
"""

import numpy as np
import pandas as pd

from memloc.claims.verdicts import NotApplicable, Tables
from memloc.settings.base import Section
from memloc.statistics.exact import Evidence, median, one_of_two, share

ENOUGH = 36  # paragraphs; if the share of nine tenths is the true one, as many agree in 2.3 % of cases


def top_does_as_all(tables: Tables, settings: Section, objective: str) -> Evidence:
    """Share of the paragraphs whose recitation all weights end at some rate, and the top-gradient ones, too.

    Raises:
        NotApplicable: too few for as many to decide.
    """
    doses = _doses(tables, settings, objective)["learning_rate"].unstack("arm")
    by_all = doses.reindex(columns=["all", "top"]).dropna(subset="all")
    if len(by_all) < ENOUGH:
        raise NotApplicable(f"all weights end {len(by_all)} recitations; {ENOUGH} are the fewest that decide")
    return share(int(by_all["top"].notna().sum()), len(by_all))


def editing_is_harder(tables: Tables, settings: Section) -> Evidence:
    """Of the paragraphs for which all weights need another rate for editing than for unlearning, the share of
    those that need the higher one for editing. Only paragraphs count that both were tried on; what no rate
    does is harder than what any rate does."""
    rates = []
    for objective in ("edit", "unlearn"):
        tried = _of(tables, objective).query("arm == 'all'")
        dose = tried["learning_rate"].where(tried["em_memorized"] < settings.paragraph.continuation, np.inf)
        rates.append(dose.set_axis(tried["id"]))
    edit, unlearn = pd.concat(rates, axis=1, join="inner").to_numpy().T
    return one_of_two(edit > unlearn, edit < unlearn)


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
    left = _of(tables, "unlearn").set_index(["id", "arm"])["em_memorized"].unstack("arm")
    recited = left == settings.paragraph.continuation
    judging = recited.loc[~recited["top"], "random"]
    return share(int(judging.sum()), len(judging))


def _doses(tables: Tables, settings: Section, objective: str = "unlearn") -> pd.DataFrame:
    """The runs that end the recitation, each at the dose of paragraph and arm (index: id, arm)."""
    runs = _of(tables, objective)
    return runs[runs["em_memorized"] < settings.paragraph.continuation].set_index(["id", "arm"])


def _of(tables: Tables, objective: str) -> pd.DataFrame:
    return tables["edits"].query("objective == @objective")
