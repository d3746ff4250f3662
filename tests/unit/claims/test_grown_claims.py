"""Claims on grown memories, on made-up tables with known verdicts."""

import pytest
from made_claims import cells, settings_of, verdicts

from memloc.claims.evaluate import evaluate
from memloc.claims.registry import topics

HEADS = "grown_heads_beyond_the_twin"


def tables(own=0.9, twin=0.5, kind="grown_heads"):
    """Two memories in each of four layers; scores of single weights have no layer."""
    axes = {"asked_model": ["own", "twin"], "method": ["parameter_gradient", "weight_size"]}
    effects = {("own", "parameter_gradient"): own, ("twin", "parameter_gradient"): twin}
    grown = cells(axes, 8, effects, 0.01).rename(columns={"value": "auroc_in_layer"})
    grown = grown.assign(kind=kind, place_layer=(grown["id"] // 2).astype("Int64"))
    grown.loc[0, ["place_layer", "auroc_in_layer"]] = None
    return {"grown_truth": grown}


def judged(*trainings):
    (row,) = evaluate(topics()["grown_truth"], trainings, settings_of("grown_truth"))
    return row


@pytest.mark.parametrize(
    ("twin", "verdict"),
    [(0.5, "holds"), (0.9, "no difference that matters")],  # it follows the paragraph, and not the place
)
def test_heads_stand_out_in_their_layer_where_the_paragraph_grew(twin, verdict):
    row = judged(*[tables(0.9, twin)] * 3)
    assert row["verdict"] == verdict and row["value"] == pytest.approx(100 * (0.9 - twin), abs=2)
    assert row["n"] == 4 * 3, "layers of all trainings, and not memories"


def test_one_training_and_no_memories_of_the_kind_do_not_apply():
    assert verdicts("grown_truth", tables()) == {HEADS: "not applicable"}
    assert judged({}, {})["verdict"] == "not applicable"
    assert judged(*[tables(kind="grown_neurons")] * 2)["verdict"] == "not applicable"
