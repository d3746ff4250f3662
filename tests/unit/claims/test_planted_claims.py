"""Claims on planted truth, on made-up tables with known verdicts."""

import pandas as pd
import pytest
from made_claims import cells, judged, verdicts

MASKS, HEAD = "planted_masks_lead", "planted_head_beyond_its_weights"
GROWN = "grown_heads_beyond_their_weights"
RECALL = {"hard_concrete": 0.6, "neuron_ablation": 0.3, "integrated_gradients": 0.2}
# Average precision of planted heads and of their twins, and of grown ones and of wrong paragraphs.
PRECISION = {"parameter_gradient": (0.9, 0.1), "weight_size": (0.5, 0.2)}


def tables(n=12, recall=RECALL, precision=PRECISION, damage=()):
    """Scores that differ a little by plant; `damage`: by what the first ones raise the NLL of other text."""
    found = cells(
        {"control": ["plant"], "method": recall}, n, {("plant", m): v for m, v in recall.items()}, 0.01
    )
    found = found.assign(kind="inj_1", granularity="neuron", recall_1=found["value"], average_precision=0.0)
    both = {(c, m): v for m, pair in precision.items() for c, v in zip(("plant", "twin"), pair, strict=True)}
    heads = cells({"control": ["plant", "twin"], "method": precision}, n, both, 0.01)
    heads = heads.assign(kind="head_all", granularity="head", recall_1=0.0, average_precision=heads["value"])
    control = heads["control"].replace("twin", "wrong")
    grown = heads.assign(kind="grown_heads", control=control)
    made = pd.concat([found, heads, grown]).rename(columns={"id": "plant"})
    others = made.assign(granularity="layer", average_precision=0.0, recall_1=0.0)
    harm = pd.Series([*damage, *[0.0] * (n - len(damage))])
    plants = pd.DataFrame(
        {"kind": "head_all", "plant": range(n), "reached": True, "nll_held_out_before": 2.0}
    )
    plants["nll_held_out"] = 2 * (1 + harm)
    failed = plants.assign(reached=False, nll_held_out=None)
    return {"planted_truth": pd.concat([made, others]), "plants": pd.concat([failed, plants])}


def test_the_published_order_and_a_head_beyond_its_weights():
    found = judged("planted_truth", tables())
    assert set(found["verdict"]) == {"holds"}
    assert found["value"].tolist() == pytest.approx([0.3, 0.8 - 0.3, 0.8 - 0.3])


@pytest.mark.parametrize(
    ("changes", "claim"),
    [
        ({"recall": RECALL | {"integrated_gradients": 0.7}}, MASKS),
        ({"precision": PRECISION | {"weight_size": (1.0, 0.1)}}, HEAD),  # the size of the weights says it
        ({"precision": PRECISION | {"parameter_gradient": (0.9, 0.9)}}, HEAD),  # so does the twin's answer
    ],
)
def test_each_claim_fails_by_itself(changes, claim):
    found = verdicts("planted_truth", tables(**changes))
    both = {HEAD: "does not hold", GROWN: "does not hold"} if claim == HEAD else {claim: "does not hold"}
    assert found == dict.fromkeys((MASKS, HEAD, GROWN), "holds") | both


def test_few_plants_decide_nothing_and_those_that_do_damage_do_not_count():
    assert set(verdicts("planted_truth", tables(7)).values()) == {"undecided"}
    found = judged("planted_truth", tables(12, damage=(0.06, 0.2, 0.051, 0.049))).loc[HEAD]
    assert found["n"] == 9


def test_without_plants_or_without_a_method_a_claim_does_not_apply():
    assert set(verdicts("planted_truth", {}).values()) == {"not applicable"}
    without = {method: value for method, value in RECALL.items() if method != "neuron_ablation"}
    found = verdicts("planted_truth", tables(recall=without))
    assert (found[MASKS], found[HEAD]) == ("not applicable", "holds")
