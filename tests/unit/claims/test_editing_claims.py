"""Claims on edits, on made-up runs whose verdicts are known."""

import pandas as pd
import pytest
from made_claims import judged, spread

CLAIMS = SPARES, HARDER, NOTHING = "top_spares_controls", "editing_is_harder", "random_weights_do_nothing"
# By objective and arm: the dose, the EM that is left, the rise of the controls' NLL.
PAPER = {
    ("unlearn", "all"): (1e-5, 3, 0.5),
    ("unlearn", "top"): (1e-3, 3, 0.1),
    ("unlearn", "random"): (1e-3, 50, 0.0),
    ("edit", "all"): (1e-4, 3, 0.5),
    ("edit", "top"): (1e-3, 3, 0.5),
    ("edit", "random"): (1e-3, 50, 0.5),
}


def runs(changes=None, n=50):
    rows = []
    for (objective, arm), (rate, em, rise) in (PAPER | (changes or {})).items():
        controls = 1 + rise + spread(n, deviation=0.01, seed=len(rows))
        frame = {"id": range(n), "objective": objective, "arm": arm, "learning_rate": rate}
        frame |= {"em_memorized": em, "nll_control": controls, "nll_control_before": 1.0}
        rows.append(pd.DataFrame(frame))
    return pd.concat(rows)


def found_in(edits, **settings):
    return judged("editing", {"edits": edits}, **settings)


def test_what_the_paper_found_holds_at_the_dose_that_each_arm_needs():
    found = found_in(runs())
    assert found["verdict"].to_dict() == dict.fromkeys(CLAIMS, "holds")
    assert found["value"].to_dict() == pytest.approx(dict.fromkeys(CLAIMS, 1) | {SPARES: 0.4}, abs=0.01)


@pytest.mark.parametrize(
    ("change", "claim", "verdict"),
    [
        ({("unlearn", "top"): (1e-3, 3, 0.5)}, SPARES, "no difference that matters"),
        ({("unlearn", "top"): (1e-3, 3, 0.52)}, SPARES, "does not hold"),
        ({("edit", "all"): (1e-5, 3, 0.5)}, HARDER, "not applicable"),  # the same rates
    ],
)
def test_each_claim_fails_by_itself(change, claim, verdict):
    found = found_in(runs(change))["verdict"].to_dict()
    assert found == dict.fromkeys(CLAIMS, "holds") | {claim: verdict}


def test_what_no_rate_removes_is_hardest_and_is_compared_in_nothing_else():
    found = found_in(runs({("unlearn", "top"): (1e-2, 50, 0.0)}))["verdict"]
    assert found[[SPARES, NOTHING]].tolist() == ["not applicable"] * 2
    never = found_in(runs({("edit", "all"): (1e-7, 50, 0.5)}))
    assert never.loc[HARDER, ["verdict", "n"]].tolist() == ["holds", 50], "an infinite rate"
    some = found_in(runs().query("objective == 'unlearn' or id >= 20"))
    assert some.loc[HARDER, "n"] == 30, "20 were never edited"


def test_controls_that_the_model_never_said_are_no_measure_of_harm():
    found = found_in(runs(), sets={"continuation": "corpus"})["verdict"].to_dict()
    assert found == dict.fromkeys(CLAIMS, "holds") | {SPARES: "not applicable"}
