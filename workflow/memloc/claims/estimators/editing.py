"""Estimators of the topic `editing`: effects of edits of all, top-gradient and random weights (paper 5.3).

Edits are judged at the first learning rate, which Figure 5 shows. Exact match is at its floor or ceiling
after most edits, so the NLL judges, and the share of the paragraphs that are no longer recited.
"""

import pandas as pd

from memloc.claims.verdicts import Estimate, NotApplicable, Tables
from memloc.settings.base import Section
from memloc.statistics.studentised import share, studentised
from memloc.statistics.uncertainty import proportion_difference

HARDLY = "the top weights raise the paragraph's NLL less than half as much as all weights"
NOTHING = 0.25  # nats per token: an edit that raises an NLL by less does nothing


def top_unlearns_as_all(tables: Tables, settings: Section) -> Estimate:
    """Share of the paragraphs that are no longer recited with the top-gradient weights, minus with all."""
    left = _unlearned(tables, settings).pivot(index="id", columns="arm", values="em_memorized")
    gone = (left[["top", "all"]] < settings.paragraph.continuation).sum()
    return Estimate.of(proportion_difference(*(share(int(gone[arm]), len(left)) for arm in ("top", "all"))))


def top_spares_controls(tables: Tables, settings: Section) -> Estimate:
    """Rise of the controls' NLL with all weights, minus the rise with the top-gradient weights.

    It is in doubt if these hardly unlearn the paragraph.
    """
    runs = _unlearned(tables, settings)
    risen = _risen(runs, "control")
    doubt = f"{HARDLY}, and a weak edit harms little" if _hardly(runs) else None
    return Estimate.of(studentised(risen["all"] - risen["top"]), doubt=doubt)


def random_weights_do_nothing(tables: Tables, settings: Section) -> Estimate:
    """Rise of the paragraph's NLL when it is unlearned with random weights.

    It is in doubt if the top-gradient weights raise it by next to nothing, too.
    """
    risen = _risen(_unlearned(tables, settings), "memorized")
    top = risen["top"].mean()
    doubt = f"the top weights, too, raise the paragraph's NLL by only {top:.2g}" if top <= NOTHING else None
    return Estimate.of(studentised(risen["random"]), doubt=doubt)


def named_head_unlearns_more(tables: Tables, settings: Section) -> Estimate:
    """Rise of the NLL when the paragraph is unlearned in the named head, minus in another of its layer."""
    risen = _risen(_unlearned(tables, settings), "memorized")
    if not {"head", "other_head"} <= set(risen.columns):
        raise NotApplicable("editing.extra_arms does not name head and other_head")
    return Estimate.of(studentised(risen["head"] - risen["other_head"]))


def top_is_relearned_later(tables: Tables, settings: Section) -> Estimate:
    """Share of the paragraphs that take more steps to relearn after the top-gradient weights than after all.

    Only paragraphs count that both arms unlearn and that take unequally many steps. The share is in doubt if
    the top-gradient weights hardly unlearn the paragraph.
    """
    runs = _unlearned(tables, settings)
    gone = runs[runs["em_memorized"] < settings.paragraph.continuation]
    beyond = settings.editing.relearning_limit + 1  # for those that do not come back
    steps = gone["relearning_steps"].astype(float).fillna(beyond)
    both = gone.assign(steps=steps).pivot(index="id", columns="arm", values="steps")
    both = both.reindex(columns=["top", "all"])
    if both["top"].isna().all():
        raise NotApplicable("the weights with the largest gradients unlearn no paragraph")
    both = both.dropna()
    later, sooner = int((both["top"] > both["all"]).sum()), int((both["top"] < both["all"]).sum())
    if not later + sooner:
        raise NotApplicable("no paragraph that both unlearn takes unequally many steps to relearn")
    doubt = f"{HARDLY}, and a weak edit is soon undone" if _hardly(runs) else None
    return Estimate.of_share(later, later + sooner, doubt=doubt)


def _hardly(runs: pd.DataFrame) -> bool:
    """Whether the top-gradient weights raise the paragraph's NLL less than half as much as all weights do."""
    own = _risen(runs, "memorized").mean()
    return bool(own["top"] < own["all"] / 2)


def _unlearned(tables: Tables, settings: Section) -> pd.DataFrame:
    """Paragraphs unlearned at the first learning rate.

    Raises:
        NotApplicable: not even all weights move their NLL, so there is nothing to compare.
    """
    edits, rate = tables["edits"], settings.editing.learning_rates[0]
    runs = edits[(edits["learning_rate"] == rate) & (edits["objective"] == "unlearn")]
    moved = abs(_risen(runs, "memorized")["all"].mean())
    if not moved >= NOTHING:
        raise NotApplicable(f"at learning rate {rate:g} all weights move the NLL by {moved:.2g}: too little")
    return runs


def _risen(runs: pd.DataFrame, text: str) -> pd.DataFrame:
    """Rise of a text's NLL by paragraph (rows) and arm (columns)."""
    risen = runs[f"nll_{text}"] - runs[f"nll_{text}_before"]
    return runs.assign(risen=risen).pivot(index="id", columns="arm", values="risen")
