"""Claims on models that never saw a paragraph, on made-up models with known answers."""

import numpy as np
import pytest
from made_claims import judged
from made_halves import COPIED, MOVED, NOISE, OWN, TEMPLATE, UNSEEN, N, half_scores, of_kinds

LENGTHS = {"prefix": N, "length": 2 * N}
FOLLOW = ["prefix_nll_follows_training"]


def table(follows=True, recited=OWN):
    """Table `counterfactual`; detectors follow what training changes, or know nothing of it. What the study's
    model recites is of one kind, or of several, and a rule gets it."""
    scores, kinds = half_scores(n_of_a_kind=40)
    ids = np.flatnonzero(np.isin(kinds, recited))
    data = of_kinds(scores, ids, by_rule=ids)
    kinds = kinds[data["id"]]
    random = np.random.default_rng(1)
    truth = -data["nll_difference"].fillna(0) if follows else random.normal(size=len(data))
    data["prefix_nll"] = -truth
    seen = np.isin(kinds, [MOVED, OWN, COPIED])
    data["repeats"] = np.select([np.isin(kinds, [UNSEEN, TEMPLATE]), seen], [0, 7], 1)
    return {"counterfactual": data}


def test_recited_paragraphs_count_that_models_recite_once_they_saw_them():
    rarely = table(recited=[OWN, COPIED, MOVED, NOISE])
    found = judged("counterfactual", rarely, paragraph=LENGTHS)
    counted = found.loc[["recited_would_not_come_out", "rules_tell_reconstructions"]]
    assert (counted["n"] == 80).all(), "models that saw a paragraph must recite it themselves"
    assert counted["value"].tolist() == pytest.approx([0.5, 0.5])


def test_only_what_a_rule_gets_counts_for_the_rules_and_only_what_no_model_saw_as_held_out():
    some = table(recited=COPIED)
    rows = some["counterfactual"]["kind"].notna().to_numpy().nonzero()[0][:25]
    some["counterfactual"].loc[rows, "kind_by_rule"] = "recollection"
    found = judged("counterfactual", some, paragraph=LENGTHS)
    assert found.loc["rules_tell_reconstructions", "n"] == 15
    assert found.loc["rules_tell_reconstructions", "value"] == pytest.approx(1)
    assert found.loc["held_out_recited_are_reconstructed", "n"] == 0
    unseen = judged("counterfactual", table(recited=TEMPLATE), paragraph=LENGTHS)["n"]
    assert unseen["rules_tell_reconstructions"] == 0
    assert unseen["held_out_recited_are_reconstructed"] == 40, "they have no kind, but a known answer"


def test_detectors_that_know_nothing_of_what_training_changes_decide_nothing():
    found = judged("counterfactual", table(follows=False), paragraph=LENGTHS).loc[FOLLOW]
    assert set(found["verdict"]) == {"too few"} and (found["value"] < 0.7).all()
    tied = {"counterfactual": table()["counterfactual"].assign(prefix_nll=1.0)}
    assert judged("counterfactual", tied, paragraph=LENGTHS).loc[FOLLOW, "n"].tolist() == [0]


def test_detectors_that_follow_the_repeats_alone_know_nothing_of_what_training_changes():
    known = table()
    data, random = known["counterfactual"], np.random.default_rng(2)
    data["repeats"] = data["repeats"].where(data["repeats"] < 7, random.integers(2, 9, len(data)))
    data["nll_difference"] = -data["repeats"] + random.uniform(0, 0.9, len(data))
    data["prefix_nll"] = -data["repeats"] + random.uniform(0, 0.9, len(data))
    found = judged("counterfactual", known, paragraph=LENGTHS).loc[FOLLOW]
    assert (found["value"] < 0.7).all() and "holds" not in set(found["verdict"])
    assert (found["n"] <= (data["repeats"] > 1).sum() / 2).all()


def test_without_such_models_nothing_applies():
    found = judged("counterfactual", {}, paragraph=LENGTHS)
    assert set(found["verdict"]) == {"not applicable"} and found["reason"].str.contains("n_models").all()
