"""Claims on models that never saw a paragraph, on made-up models with known answers."""

import numpy as np
from made_claims import judged
from made_halves import COPIED, MOVED, OWN, UNSEEN, N, half_scores

from memloc.scoring.counterfactual import counterfactual

LENGTHS = {"prefix": N, "length": 2 * N}
FOLLOW = ["prefix_nll_follows_training"]


def table(follows=True, recited=OWN):
    """Table `counterfactual`; detectors follow what training changes, or know nothing of it."""
    scores, kinds = half_scores(n_of_a_kind=40)
    data = counterfactual(scores, N)
    kinds = kinds[data["id"]]
    random = np.random.default_rng(1)
    truth = -data["nll_difference"].fillna(0) if follows else random.normal(size=len(data))
    data["prefix_nll"] = -truth
    data["em"] = np.where(kinds == recited, N, 0)
    data["repeats"] = np.select([kinds == UNSEEN, np.isin(kinds, [MOVED, OWN, COPIED])], [0, 7], 1)
    return {"counterfactual": data}


def test_recited_paragraphs_count_that_models_recite_once_they_saw_them():
    rarely = table()
    recited, shares = rarely["counterfactual"]["em"] == N, [0.5] * 10 + [0.6] * 30
    rarely["counterfactual"].loc[recited, "recited_with"] = shares
    found = judged("counterfactual", rarely, paragraph=LENGTHS).loc["recited_would_not_come_out"]
    assert found["n"] == 30, "models that saw a paragraph must recite it themselves"


def test_detectors_that_know_nothing_of_what_training_changes_decide_nothing():
    found = judged("counterfactual", table(follows=False), paragraph=LENGTHS).loc[FOLLOW]
    assert set(found["verdict"]) == {"too few"} and (found["value"] < 0.7).all()


def test_detectors_that_follow_the_repeats_alone_know_nothing_of_what_training_changes():
    known = table()
    data, random = known["counterfactual"], np.random.default_rng(2)
    data["repeats"] = data["repeats"].where(data["repeats"] < 7, random.integers(2, 9, len(data)))
    data["nll_difference"] = -data["repeats"] + random.uniform(0, 0.9, len(data))
    data["prefix_nll"] = -data["repeats"] + random.uniform(0, 0.9, len(data))
    found = judged("counterfactual", known, paragraph=LENGTHS).loc[FOLLOW]
    assert (found["value"] < 0.7).all() and "holds" not in set(found["verdict"])


def test_without_such_models_nothing_applies():
    found = judged("counterfactual", {}, paragraph=LENGTHS)
    assert set(found["verdict"]) == {"not applicable"} and found["reason"].str.contains("n_models").all()
