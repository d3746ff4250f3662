"""Claims on edits, on made-up runs whose verdicts are known."""

import pandas as pd
import pytest
from made_claims import judged, spread

CLAIMS = ["top_unlearns_as_all", "top_spares_controls", "random_weights_do_nothing", "top_is_relearned_later"]
SETTINGS = {"editing": {"relearning_limit": 5}}
# By arm: the mildest of the rates that unlearns, the rise of the controls' NLL there, steps of relearning.
PAPER = {"all": (1e-5, 0.5, 2), "top": (1e-3, 0.1, 4), "random": (None, 0.0, None)}
RATES = (1e-5, 1e-4, 1e-3)


def runs(changes=None, n=50, same=0):
    """Every paragraph and arm at every rate; the controls lose ten times as much at the next rate. The first
    `same` paragraphs take two steps to relearn whatever the arm."""
    rows = []
    for arm, (dose, rise, steps) in (PAPER | (changes or {})).items():
        for rate in RATES:
            gone = dose is not None and rate >= dose
            controls = 1 + rise * (rate / dose if dose else 1) + spread(n, deviation=0.01, seed=len(rows))
            frame = {"id": range(n), "arm": arm, "learning_rate": rate, "em_memorized": 3 if gone else 50}
            frame |= {"nll_control": controls, "nll_control_before": 1.0}
            taken = [2 if id < same else steps for id in range(n)] if gone else [None] * n
            rows.append(pd.DataFrame(frame | {"relearning_steps": pd.array(taken, "Int64")}))
    made = pd.concat([*rows, *(row.assign(objective="edit", em_memorized=50) for row in rows)])
    return made.fillna({"objective": "unlearn"})


def found_in(edits, **settings):
    return judged("editing", {"edits": edits}, **SETTINGS | settings)


def test_what_the_paper_found_holds_at_the_dose_that_each_arm_needs():
    """At any one rate, all weights would harm more than the top ones, or these do nothing."""
    found = found_in(runs())
    assert found["verdict"].to_dict() == dict.fromkeys(CLAIMS, "holds")
    assert found["value"].tolist() == pytest.approx([1, 0.4, 1, 1], abs=0.01)


@pytest.mark.parametrize(
    ("change", "claim", "verdict"),
    [
        ({"top": (1e-3, 0.9, 4)}, CLAIMS[1], "does not hold"),
        ({"top": (1e-3, 0.5, 4)}, CLAIMS[1], "no difference that matters"),
        ({"random": (1e-3, 0.0, None)}, CLAIMS[2], "does not hold"),
        ({"all": (1e-5, 0.5, None)}, CLAIMS[3], "does not hold"),  # not back within the limit
    ],
)
def test_each_claim_fails_by_itself(change, claim, verdict):
    found = found_in(runs(change))["verdict"].to_dict()
    assert found == dict.fromkeys(CLAIMS, "holds") | {claim: verdict}


def test_what_no_rate_unlearns_is_compared_in_nothing():
    found = found_in(runs({"top": (None, 0.0, None)}))
    assert found["verdict"].tolist() == ["does not hold", *["not applicable"] * 3]
    nothing = found_in(runs({"all": (None, 0.0, None)})).loc[CLAIMS[0]]
    assert nothing["reason"] == "at no learning rate do all weights unlearn a paragraph"


def test_only_paragraphs_that_take_unequally_long_to_relearn_count():
    found = found_in(runs(same=20)).loc[CLAIMS[3]]
    assert found[["value", "n"]].tolist() == [1, 30]


def test_controls_that_the_model_never_said_are_no_measure_of_harm():
    found = found_in(runs(), sets={"continuation": "corpus"})["verdict"].to_dict()
    assert found == dict.fromkeys(CLAIMS, "holds") | {CLAIMS[1]: "not applicable"}


def test_few_paragraphs_decide_nothing():
    """Thirty of thirty leave room for a tenth."""
    assert set(found_in(runs(n=5))["verdict"]) == {"too few"}
    assert found_in(runs(n=30)).loc[CLAIMS[0], "verdict"] == "too few"
