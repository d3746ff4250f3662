"""Claims on edits, on made-up runs whose verdicts are known."""

import pandas as pd
import pytest
from made_claims import judged, spread

from memloc.claims.estimators import editing
from memloc.statistics.exact import fewest

AS_ALL, SPARES, NOTHING, LATER = (
    "top_unlearns_as_all",
    "top_spares_controls",
    "random_weights_do_nothing",
    "top_is_relearned_later",
)
EDITS_AS_ALL, HARDER = "top_edits_as_all", "editing_is_harder"
CLAIMS = (AS_ALL, SPARES, EDITS_AS_ALL, HARDER, NOTHING, LATER)
SETTINGS = {"editing": {"relearning_limit": 5}}
# By objective and arm: the dose, the EM that is left, the rise of the controls' NLL, steps of relearning.
PAPER = {
    ("unlearn", "all"): (1e-5, 3, 0.5, 2),
    ("unlearn", "top"): (1e-3, 3, 0.1, 4),
    ("unlearn", "random"): (1e-3, 50, 0.0, None),
    ("edit", "all"): (1e-4, 3, 0.5, None),
    ("edit", "top"): (1e-3, 3, 0.5, None),
    ("edit", "random"): (1e-3, 50, 0.5, None),
}


def runs(changes=None, n=50, same=0):
    """The first `same` paragraphs take two steps to relearn whatever the arm."""
    rows = []
    for (objective, arm), (rate, em, rise, steps) in (PAPER | (changes or {})).items():
        controls = 1 + rise + spread(n, deviation=0.01, seed=len(rows))
        frame = {"id": range(n), "objective": objective, "arm": arm, "learning_rate": rate}
        frame |= {"em_memorized": em, "nll_control": controls, "nll_control_before": 1.0}
        taken = [2 if id < same else steps for id in range(n)]
        rows.append(pd.DataFrame(frame | {"relearning_steps": pd.array(taken, "Int64")}))
    return pd.concat(rows)


def found_in(edits, **settings):
    return judged("editing", {"edits": edits}, **SETTINGS | settings)


def test_what_the_paper_found_holds_at_the_dose_that_each_arm_needs():
    found = found_in(runs())
    assert found["verdict"].to_dict() == dict.fromkeys(CLAIMS, "holds")
    assert found["value"].to_dict() == pytest.approx(dict.fromkeys(CLAIMS, 1) | {SPARES: 0.4}, abs=0.01)


@pytest.mark.parametrize(
    ("change", "claim", "verdict"),
    [
        ({("unlearn", "top"): (1e-3, 3, 0.9, 4)}, SPARES, "does not hold"),
        ({("unlearn", "top"): (1e-3, 3, 0.5, 4)}, SPARES, "no difference that matters"),
        ({("unlearn", "random"): (1e-3, 3, 0.0, 4)}, NOTHING, "does not hold"),
        ({("unlearn", "all"): (1e-5, 3, 0.5, None)}, LATER, "does not hold"),  # not back within the limit
        ({("edit", "top"): (1e-2, 50, 0.5, None)}, EDITS_AS_ALL, "does not hold"),
        ({("edit", "all"): (1e-6, 3, 0.5, None)}, HARDER, "does not hold"),
        ({("edit", "all"): (1e-5, 3, 0.5, None)}, HARDER, "not applicable"),  # the same rates
    ],
)
def test_each_claim_fails_by_itself(change, claim, verdict):
    found = found_in(runs(change))["verdict"].to_dict()
    assert found == dict.fromkeys(CLAIMS, "holds") | {claim: verdict}


def test_what_no_rate_removes_is_hardest_and_is_compared_in_nothing_else():
    found = found_in(runs({("unlearn", "top"): (1e-2, 50, 0.0, None)}))["verdict"]
    assert found[[AS_ALL, SPARES, NOTHING, LATER]].tolist() == ["does not hold", *["not applicable"] * 3]
    never = found_in(runs({("edit", "all"): (1e-7, 50, 0.5, None)}))
    assert never.loc[HARDER, ["verdict", "n"]].tolist() == ["holds", 50], "an infinite rate"


def test_only_paragraphs_that_take_unequally_long_to_relearn_count():
    assert found_in(runs(same=20)).loc[LATER, ["value", "n"]].tolist() == [1, 30]


def test_controls_that_the_model_never_said_are_no_measure_of_harm():
    found = found_in(runs(), sets={"continuation": "corpus"})["verdict"].to_dict()
    assert found == dict.fromkeys(CLAIMS, "holds") | {SPARES: "not applicable"}


def test_few_paragraphs_decide_nothing_and_fewer_than_could_are_not_asked():
    found = found_in(runs(n=5))["verdict"].to_dict()
    assert found == dict.fromkeys(CLAIMS, "too few") | dict.fromkeys((AS_ALL, EDITS_AS_ALL), "not applicable")
    assert found_in(runs(n=35)).loc[AS_ALL, "verdict"] == "not applicable"
    assert fewest(0.9, 0.05) == editing.ENOUGH
