"""Claims on edits, on made-up runs whose verdicts are known."""

import pandas as pd
import pytest
from made_claims import judged, spread

CLAIMS = [
    "top_unlearns_as_all",
    "top_spares_controls",
    "random_weights_do_nothing",
    "named_head_unlearns_more",
    "top_is_relearned_later",
]
# EM that is left of the paragraph, rises of its NLL and of that of the controls, steps of relearning.
PAPER = {
    ("unlearn", "all"): (0, 9.0, 2.0, 3),
    ("unlearn", "top"): (0, 8.0, 1.0, 5),
    ("unlearn", "random"): (50, 0.01, 0.0, None),
    ("unlearn", "head"): (30, 3.0, 1.0, 1),
    ("unlearn", "other_head"): (50, 1.0, 1.0, None),
    ("edit", "all"): (0, 9.0, 2.0, None),
    ("edit", "top"): (0, 8.0, 1.0, None),
    ("edit", "random"): (50, 0.0, 0.0, None),
}
SETTINGS = {"editing": {"learning_rates": [1e-3, 1e-5, 1e-2], "relearning_limit": 5}}


def runs(changes=None, n=50, **labels):
    """A spread of a tenth of a nat in every rise."""
    frames = []
    for seed, ((objective, arm), (em, *rises, steps)) in enumerate((PAPER | (changes or {})).items()):
        frame = pd.DataFrame({"id": range(n), "objective": objective, "arm": arm, "em_memorized": em})
        for place, (text, rise) in enumerate(zip(("memorized", "control"), rises, strict=True)):
            frame[f"nll_{text}_before"] = 1.0
            frame[f"nll_{text}"] = 1 + rise + spread(n, seed=7 * seed + place)
        frame["relearning_steps"] = pd.array([steps] * n, "Int64")
        frames.append(frame.assign(**{"learning_rate": 1e-3} | labels))
    return pd.concat(frames, ignore_index=True)


def verdicts_of(edits, **settings):
    return judged("editing", {"edits": edits}, **SETTINGS | settings)["verdict"].to_dict()


def test_what_the_paper_found_holds():
    found = judged("editing", {"edits": runs()}, **SETTINGS)
    assert found["verdict"].to_dict() == dict.fromkeys(CLAIMS, "holds")
    assert found["value"].tolist() == pytest.approx([0, 1, 0.01, 2, 1])


@pytest.mark.parametrize(
    ("change", "claim"),
    [
        ({("unlearn", "top"): (0, 8.0, 3.0, 5)}, CLAIMS[1]),
        ({("unlearn", "random"): (50, 0.6, 0.0, None)}, CLAIMS[2]),
        ({("unlearn", "other_head"): (30, 3.5, 1.0, 1)}, CLAIMS[3]),
        ({("unlearn", "all"): (0, 9.0, 2.0, None)}, CLAIMS[4]),  # not back within the limit
    ],
)
def test_each_claim_fails_by_itself(change, claim):
    assert verdicts_of(runs(change)) == dict.fromkeys(CLAIMS, "holds") | {claim: "does not hold"}


def test_random_weights_show_nothing_where_the_top_ones_do_no_more():
    assert verdicts_of(runs({("unlearn", "top"): (0, 0.2, 0.0, 5)}))[CLAIMS[2]] == "undecided"


def test_what_is_still_recited_is_not_unlearned_and_cannot_be_relearned():
    found = verdicts_of(runs({("unlearn", "top"): (50, 8.0, 1.0, None)}))
    expected = {CLAIMS[0]: "does not hold", CLAIMS[4]: "not applicable"}
    row = judged("editing", {"edits": runs({("unlearn", "top"): (50, 8.0, 1.0, None)})}, **SETTINGS)
    assert row.loc[CLAIMS[4], "reason"] == "the weights with the largest gradients unlearn no paragraph"
    assert found == dict.fromkeys(CLAIMS, "holds") | expected


def test_only_paragraphs_that_take_unequally_long_to_relearn_count():
    edits = runs()
    same = (edits["arm"] == "top") & (edits["id"] < 20)
    edits.loc[same, "relearning_steps"] = 3
    edits.loc[same & (edits["id"] < 5), "relearning_steps"] = 2
    found = judged("editing", {"edits": edits}, **SETTINGS).loc[CLAIMS[4]]
    assert found[["value", "n"]].tolist() == [pytest.approx(30 / 35), 35]


def test_controls_that_the_model_never_said_are_no_measure_of_harm():
    found = verdicts_of(runs(), sets={"continuation": "corpus"})
    assert found == dict.fromkeys(CLAIMS, "holds") | {CLAIMS[1]: "not applicable"}


def test_few_paragraphs_and_equal_shares_of_few_decide_nothing():
    """Eight of eight against eight of eight leave room for a third."""
    assert verdicts_of(runs(n=5)) == dict.fromkeys(CLAIMS, "undecided")
    assert verdicts_of(runs(n=8))[CLAIMS[0]] == "undecided"


def test_nothing_applies_where_all_weights_do_nothing():
    nothing = dict.fromkeys([("unlearn", "all"), ("edit", "all")], (50, 0.2, 0.0, None))
    found = judged("editing", {"edits": runs(nothing)}, **SETTINGS)
    assert set(found["verdict"]) == {"not applicable"}
    assert found["reason"].str.startswith("at learning rate 0.001 all weights move the NLL by 0.2").all()


def test_weights_that_unlearn_little_do_not_spare_and_are_near_what_they_unlearned():
    found = verdicts_of(runs({("unlearn", "top"): (0, 4.0, 1.0, 5)}))
    assert (found[CLAIMS[1]], found[CLAIMS[4]]) == ("undecided", "undecided")


def test_other_learning_rates_do_not_judge():
    worse = dict.fromkeys(PAPER, (50, 5.0, 5.0, 1))
    others = [runs(worse, learning_rate=rate) for rate in (1e-5, 1e-2)]
    assert verdicts_of(pd.concat([runs(), *others])) == dict.fromkeys(CLAIMS, "holds")
