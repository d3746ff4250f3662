"""Claims on grown memories, on made-up tables with known verdicts."""

import pandas as pd
import pytest
from made_claims import cells, judged, verdicts

HEADS = "grown_heads_beyond_their_weights"


def tables(n=12, own=0.9, twin=0.1):
    """Scores that differ a little by paragraph, each of which grew in the model and in its swap twin."""
    axes = {"control": ["own", "twin"], "method": ["parameter_gradient", "weight_size"]}
    effects = {("own", "parameter_gradient"): own, ("twin", "parameter_gradient"): twin}
    grown = cells(axes, n, effects, 0.01)
    grown = grown.assign(kind="grown_heads", granularity="head", average_precision=grown["value"])
    made = pd.concat([grown, grown])
    return {"grown_truth": pd.concat([made, made.assign(granularity="layer", average_precision=0.0)])}


@pytest.mark.parametrize(
    ("own", "twin", "n", "verdict"),
    [
        (0.9, 0.1, 12, "holds"),
        (0.1, 0.9, 12, "does not hold"),
        (0.9, 0.9, 12, "no difference that matters"),  # it follows the paragraph, and not the place
        (0.9, 0.1, 5, "too few"),
    ],
)
def test_heads_stand_out_where_the_paragraph_grew(own, twin, n, verdict):
    found = judged("grown_truth", tables(n, own, twin)).loc[HEADS]
    assert found["verdict"] == verdict and found["value"] == pytest.approx(100 * (own - twin), abs=1)
    assert found["n"] == n, "paragraphs, and not memories"


def test_without_memories_the_claim_does_not_apply():
    assert verdicts("grown_truth", {}) == {HEADS: "not applicable"}
    other = {"grown_truth": tables()["grown_truth"].assign(kind="grown_neurons")}
    assert verdicts("grown_truth", other) == {HEADS: "not applicable"}
