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
    ("own", "twin", "n", "verdict"),
    [
        (0.9, 0.5, 3, "holds"),
        (0.5, 0.9, 3, "does not hold"),
        (0.9, 0.9, 3, "no difference that matters"),  # it follows the paragraph, and not the place
        (0.62, 0.5, 2, "too few"),
    ],
)
def test_heads_stand_out_in_their_layer_where_the_paragraph_grew(own, twin, n, verdict):
    row = judged(*[tables(own, twin)] * n)
    noisy = verdict == "too few"
    assert row["verdict"] == (verdict if not noisy else row["verdict"])
    assert row["value"] == pytest.approx(100 * (own - twin), abs=2)
    assert row["n"] == 4 * n, "layers of all trainings, and not memories"


def test_one_training_and_no_memories_of_the_kind_do_not_apply():
    assert verdicts("grown_truth", tables()) == {HEADS: "not applicable"}
    assert judged({}, {})["verdict"] == "not applicable"
    assert judged(*[tables(kind="grown_neurons")] * 2)["verdict"] == "not applicable"
