"""Claims on grown memories, on made-up tables with known verdicts."""

import pandas as pd
import pytest
from made_claims import cells, judged, verdicts

HEADS = "grown_heads_beyond_their_weights"
# Average precision of the heads in which paragraphs grew, and in the twins.
PRECISION = {"parameter_gradient": (0.9, 0.1), "weight_size": (0.5, 0.2)}


def tables(n=12, precision=PRECISION):
    """Scores that differ a little by paragraph, each of which grew in the model and in its swap twin."""
    both = {(c, m): v for m, pair in precision.items() for c, v in zip(("own", "twin"), pair, strict=True)}
    grown = cells({"control": ["own", "twin"], "method": precision}, n, both, 0.01)
    grown = grown.assign(kind="grown_heads", granularity="head", average_precision=grown["value"])
    made = pd.concat([grown, grown])
    return {"grown_truth": pd.concat([made, made.assign(granularity="layer", average_precision=0.0)])}


def test_heads_stand_out_beyond_their_weights():
    found = judged("grown_truth", tables()).loc[HEADS]
    assert found["verdict"] == "holds" and found["value"] == pytest.approx(0.4)
    assert found["n"] == 12, "paragraphs, and not memories"


@pytest.mark.parametrize(
    ("gradient", "size", "smaller"),
    [((0.9, 0.1), (1.0, 1.0), -0.1), ((0.9, 0.95), (0.5, 0.2), -0.05)],
    ids=["the size of the weights says it, in the twin too", "so does the answer about the twin"],
)
def test_the_claim_fails(gradient, size, smaller):
    precision = {"parameter_gradient": gradient, "weight_size": size}
    found = judged("grown_truth", tables(precision=precision)).loc[HEADS]
    assert found["verdict"] == "does not hold" and found["value"] == pytest.approx(smaller)


def test_few_paragraphs_decide_nothing():
    assert verdicts("grown_truth", tables(7)) == {HEADS: "undecided"}


def test_a_method_that_names_the_same_heads_in_both_twins_finds_nothing():
    """Both models hold the memory, at different places: only a method that follows the place counts."""
    same = PRECISION | {"parameter_gradient": (0.9, 0.9)}
    assert judged("grown_truth", tables(precision=same)).loc[HEADS, "value"] == pytest.approx(0, abs=0.01)


def test_without_memories_or_without_a_method_the_claim_does_not_apply():
    assert verdicts("grown_truth", {}) == {HEADS: "not applicable"}
    without = {"parameter_gradient": PRECISION["parameter_gradient"]}
    assert verdicts("grown_truth", tables(precision=without)) == {HEADS: "not applicable"}
