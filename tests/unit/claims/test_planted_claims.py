"""Claims on planted truth, on made-up tables with known verdicts."""

import pandas as pd
import pytest
from made_claims import cells, judged, verdicts

HEADS = "planted_heads_beyond_their_weights"
GROWN = "grown_heads_beyond_their_weights"
# Average precision of planted and grown heads, and in their twins.
PRECISION = {"parameter_gradient": (0.9, 0.1), "weight_size": (0.5, 0.2)}


def tables(n=12, precision=PRECISION, harm=()):
    """Scores that differ a little by plant. `harm`: columns of the first plants that show damage."""
    both = {(c, m): v for m, pair in precision.items() for c, v in zip(("plant", "twin"), pair, strict=True)}
    heads = cells({"control": ["plant", "twin"], "method": precision}, n, both, 0.01)
    heads = heads.assign(kind="heads", granularity="head", average_precision=heads["value"])
    grown = heads.assign(kind="grown_heads")
    made = pd.concat([heads, grown, grown])  # a paragraph grew in the model and in its swap twin
    others = made.assign(granularity="layer", average_precision=0.0)
    plants = pd.DataFrame({"kind": "heads", "id": range(n), "reached": True, "norm": 1.5})
    plants = plants.assign(em_memorized_before=50.0, em_memorized=45.0, own_kept=0.9)
    for plant, (column, value) in enumerate(harm):
        plants.loc[plant, column] = value
    failed = plants.assign(reached=False, id=plants["id"] + n)
    return {"planted_truth": pd.concat([made, others]), "plants": pd.concat([failed, plants])}


def test_heads_stand_out_beyond_their_weights():
    found = judged("planted_truth", tables())
    assert set(found["verdict"]) == {"holds"}
    assert found["value"].tolist() == pytest.approx([0.4, 0.4])


@pytest.mark.parametrize(
    "changes",
    [{"weight_size": (1.0, 1.0)}, {"parameter_gradient": (0.9, 0.95)}],
    ids=["the size of the weights says it, in the twin too", "so does the answer about the twin"],
)
def test_claims_fail(changes):
    found = verdicts("planted_truth", tables(precision=PRECISION | changes))
    assert found == dict.fromkeys((HEADS, GROWN), "does not hold")


def test_few_plants_decide_nothing_and_those_that_do_damage_do_not_count():
    assert set(verdicts("planted_truth", tables(7)).values()) == {"undecided"}
    harm = [("norm", 1.51), ("em_memorized", 44.9), ("own_kept", 0.89), ("em_memorized_before", None)]
    assert judged("planted_truth", tables(12, harm=harm)).loc[HEADS, "n"] == 9


def test_a_method_that_names_the_same_heads_in_both_twins_finds_nothing():
    """Both models hold the memory, at different places: only a method that follows the place counts."""
    same = PRECISION | {"parameter_gradient": (0.9, 0.9)}
    assert judged("planted_truth", tables(precision=same)).loc[GROWN, "value"] == pytest.approx(0, abs=0.01)
    assert judged("planted_truth", tables()).loc[GROWN, "n"] == 12, "paragraphs, and not memories"


@pytest.mark.parametrize(
    ("own", "wrong", "size", "smaller"),
    [(0.9, 0.1, 0.5, 0.4), (0.9, 0.7, 0.5, 0.2), (0.1, 0.05, 0.9, -0.8)],
)
def test_without_twins_gradients_must_beat_the_size_of_weights_and_a_wrong_paragraph(
    own, wrong, size, smaller
):
    """The size is the same for every paragraph, and cancels if both are compared with a wrong one."""
    made = tables(precision={"parameter_gradient": (own, wrong), "weight_size": (size, size)})
    truth = made["planted_truth"]
    rows = truth["kind"] == "grown_heads"
    made["planted_truth"] = pd.concat([truth[~rows], truth[rows].replace({"twin": "wrong"})])
    found = judged("planted_truth", made).loc[GROWN]
    assert found["value"] == pytest.approx(smaller)
    assert found["verdict"] == ("holds" if smaller > 0 else "does not hold")


def test_without_plants_or_without_a_method_a_claim_does_not_apply():
    assert set(verdicts("planted_truth", {}).values()) == {"not applicable"}
    without = {"parameter_gradient": PRECISION["parameter_gradient"]}
    assert set(verdicts("planted_truth", tables(precision=without)).values()) == {"not applicable"}
