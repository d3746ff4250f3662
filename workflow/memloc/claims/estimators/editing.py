"""Estimators of the topic `editing`: what edits do with all, top-gradient and random weights (paper 5.3).

All are judged at the first learning rate, which Figure 5 shows, on the runs that are not made only to compare
with the authors' code. What an edit does is measured in tokens, per paragraph:

    forgotten   EM of the paragraph that is lost
    written     EM against the edit's target that is gained
    kept        EM of the controls that is gained: at most 0
"""

import pandas as pd

from memloc.claims.verdicts import Estimate
from memloc.removal.runs import own_runs
from memloc.settings.base import Section
from memloc.statistics import uncertainty

MEASURES = {"forgotten": ("em_memorized", -1), "written": ("em_target", 1), "kept": ("em_control", 1)}
NOTHING = 0.04  # share of the continuation: what moves fewer tokens does nothing
UNLEARNED = 0.5  # share of the continuation that must be forgotten before it counts what that cost


def top_against_all(
    tables: dict[str, pd.DataFrame], settings: Section, objective: str, measure: str
) -> Estimate:
    """How much more the top-gradient weights do than all weights, paired by paragraph."""
    done = _done(tables, settings, measure)[objective]
    if nothing := _all_do_nothing(tables, settings, objective, measure):
        return nothing
    forgotten = _done(tables, settings, "forgotten")[objective]["top"].mean()
    hardly = measure == "kept" and forgotten < UNLEARNED * _n_continuation(settings)
    doubt = f"they forget only {forgotten:.1f} tokens, and what does little harms little" if hardly else None
    return Estimate.of(uncertainty.paired(done["top"] - done["all"]), doubt)


def random_alone(
    tables: dict[str, pd.DataFrame], settings: Section, objective: str, measure: str
) -> Estimate:
    """What random weights do."""
    if nothing := _all_do_nothing(tables, settings, objective, measure):
        return nothing
    return Estimate.of(uncertainty.paired(_done(tables, settings, measure)[objective]["random"]))


def editing_is_harder(tables: dict[str, pd.DataFrame], settings: Section) -> Estimate:
    """How much more unlearning forgets than editing, as the mean of all and of top-gradient weights."""
    if nothing := _all_do_nothing(tables, settings, "unlearn", "forgotten"):
        return nothing
    done, arms = _done(tables, settings, "forgotten"), ["all", "top"]
    return Estimate.of(uncertainty.paired((done["unlearn"][arms] - done["edit"][arms]).mean(axis=1)))


def _done(tables: dict[str, pd.DataFrame], settings: Section, measure: str) -> pd.DataFrame:
    """Tokens by paragraph (rows), objective and arm (columns) at the first learning rate."""
    edits = own_runs(tables["edits"])
    first = edits[edits["learning_rate"] == settings.editing.learning_rates[0]]
    column, sign = MEASURES[measure]
    done = sign * (first[column] - first[f"{column}_before"])
    return first.assign(done=done).pivot(index="id", columns=["objective", "arm"], values="done")


def _all_do_nothing(
    tables: dict[str, pd.DataFrame], settings: Section, objective: str, measure: str
) -> Estimate | None:
    """Why nothing can be compared: moving all weights moves too few tokens, or controls have none to lose."""
    if measure == "kept" and settings.sets.continuation == "corpus":
        return Estimate(missing="the controls have the corpus's continuation, of which the model says little")
    rate = settings.editing.learning_rates[0]
    for name in dict.fromkeys(("forgotten", measure)):
        tokens = abs(_done(tables, settings, name)[objective]["all"].mean())
        if tokens < NOTHING * _n_continuation(settings):
            texts = {"forgotten": "the paragraph", "written": "its target", "kept": "its controls"}[name]
            return Estimate(
                missing=f"at learning rate {rate:g} all weights move {tokens:.1f} tokens of {texts}: too few"
            )
    return None


def _n_continuation(settings: Section) -> int:
    return settings.paragraph.continuation
