"""What the figures on editing share: names and colours of the arms, and which statements hold."""

from typing import NamedTuple

import pandas as pd

ARM_LABELS = {
    "all": "all weights",
    "top": "top gradients",
    "random": "random weights",
    "head": "one head",
    "layer": "one layer",
}
ARM_COLOURS = {
    "all": "#333333",
    "top": "#d55e00",
    "random": "#009e73",
    "head": "#8e44ad",
    "layer": "#56b4e9",
}
OBJECTIVE_LABELS = {"unlearn": "unlearning", "edit": "editing"}
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
CLOSE = 2.0  # tokens; a smaller difference in exact match is none
N_ERRORS = 2.0  # standard errors that decide


class Claim(NamedTuple):
    """A statement of the paper on one learning rate: mean difference in tokens, its error, the verdict."""

    difference: float
    error: float
    verdict: str


def arms_of(frame: pd.DataFrame) -> list[str]:
    """Arms that a frame holds, in the order of their labels."""
    return [arm for arm in ARM_LABELS if arm in set(frame["arm"])]


def own_runs(edits: pd.DataFrame) -> pd.DataFrame:
    """The runs that are not made only to compare with the authors' code."""
    return edits[edits["reference"] == edits["reference"].all()]


def claims(edits: pd.DataFrame, n_continuation: int) -> dict[str, Claim]:
    """Statements on Figure 5 for the runs of one learning rate, as differences that should be negative.

    Differences are paired by paragraph. A statement holds, or does not, if the mean difference is more than
    two standard errors away from what it allows; two tokens count as equal.
    """
    em = edits.pivot(index="id", columns=["objective", "arm"], values="em_memorized")
    control = edits.pivot(index="id", columns=["objective", "arm"], values="em_control")
    unlearn, edit = em["unlearn"], em["edit"].dropna(how="all")
    harder = pd.concat([unlearn[arm] - edit[arm] for arm in ("all", "top")], axis=1).mean(axis=1)
    spares = _claim(control["unlearn"]["all"] - control["unlearn"]["top"], 0.0)
    if unlearn["top"].mean() > n_continuation / 2:
        spares = spares._replace(verdict=f"{spares.verdict}, but they hardly unlearn")
    return {
        "top_unlearns": _claim(unlearn["top"] - unlearn["all"], CLOSE),
        "top_spares": spares,
        "random_idle": _claim(n_continuation - unlearn["random"], CLOSE),
        "top_edits": _claim(edit["top"] - edit["all"], CLOSE),
        "editing_harder": _claim(harder.dropna(), 0.0),
    }


def _claim(differences: pd.Series, allowed: float) -> Claim:
    mean, error = float(differences.mean()), float(differences.sem())
    if len(differences) < 2:
        return Claim(mean, 0.0, "is undecided")
    low, high = mean - N_ERRORS * error, mean + N_ERRORS * error
    if high < allowed or (error == 0 and mean <= allowed and allowed > 0):
        verdict = "holds"
    elif low > allowed or (error == 0 and mean >= allowed):
        verdict = "does not hold"
    else:
        verdict = "is undecided"
    return Claim(mean, error, verdict)
