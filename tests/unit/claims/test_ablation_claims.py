"""Claims on ablated heads and bypassed blocks, on tables with known verdicts."""

import pandas as pd
import pytest
from made_claims import cells, judged, settings_of, verdicts

from memloc.claims.evaluate import evaluate
from memloc.claims.registry import topics

GROUPS = ("memorized", "non_memorized")
HEADS = [(layer, head) for layer in range(2) for head in range(3)]


def pairs(n):
    """Table sets of n pairs, in which others are partly memorized, or not."""
    sets = {"set": ["memorized"] * n + ["partly_11_29", "non_memorized"] * n}
    frame = pd.DataFrame({"set": sets["set"][: 2 * n], "pair": [*range(n), *range(n)]})
    return frame.assign(id=[*range(n), *range(1000, 1000 + n)]).astype({"pair": "Int64"})


def ablated(effects, n=20, noise=0.1):
    """NLL gained by (group, layer, head) of paired paragraphs, and noise; 100 of those in no pair."""
    axes = {"group": GROUPS, "layer": range(2), "head": range(3)}
    paired = cells(axes, n, effects, noise)
    paired["id"] += 1000 * (paired["group"] == GROUPS[1])
    unpaired = cells(axes, 9, {}, 0.0).assign(value=100.0)
    rows = pd.concat([paired.assign(group="paired"), unpaired]).rename(columns={"value": "nll_gained"})
    order = pd.DataFrame(HEADS, columns=["layer", "head"]).assign(method="combined", rank=[3, 2, 1, 4, 5, 6])
    # Highlighted: head 2 of layer 0.
    return {"head_ablation": rows, "head_ranking": order, "sets": pairs(n)}


OWN, OTHERS = ("memorized", 0, 2), ("non_memorized", 0, 2)


@pytest.mark.parametrize(
    ("effects", "expected"),
    [
        ({OWN: 2}, ("holds", 1)),
        ({OWN: 2, OTHERS: 4}, ("does not hold", 0)),  # all text needs it, and others by comparison
        ({("memorized", *head): 2 for head in HEADS if head != (0, 2)}, ("does not hold", 0)),
    ],
)
def test_the_head_that_memorized_paragraphs_need(effects, expected):
    (row,) = evaluate(topics()["head_ablation"], [ablated(effects)] * 5, settings_of("head_ablation"))
    assert (row["verdict"], row["value"]) == expected


def test_without_pairs_no_head_is_compared():
    (row,) = evaluate(topics()["head_ablation"], [ablated({}, n=0)] * 5, settings_of("head_ablation"))
    assert (row["verdict"], row["reason"]) == ("not applicable", "no pairs of equal count")


SPARES, LOWER = "deeper_attention_spares_others", "lower_layers_hold_more"


def bypassed(em=None, gained=None, n=40, n_layers=4, noise=0.1):
    """What is left, and gained, without (group, block, layer): by default 45 tokens and 0.1 nats."""
    axes = {"way": ("identity", "mean"), "group": GROUPS}
    axes |= {"block": ("attention", "mlp"), "layer": range(n_layers)}
    rows = cells(axes, n, {}, noise)
    keys = [*zip(rows["group"], rows["block"], rows["layer"], strict=True)]
    rows["em"] = [(em or {}).get(key, 45) for key in keys]
    rows["nll_gained"] = rows["value"] + [(gained or {}).get(key, 0.1) for key in keys]
    rows["way"] = rows["way"].where((rows["block"] == "attention") | (rows["way"] == "mean"), "zero")
    rows["id"] += 1000 * (rows["group"] == GROUPS[1])
    return {"layer_bypass": rows.assign(group="paired"), "sets": pairs(n)}


def test_a_deeper_layer_that_recites_and_does_nothing_else():
    recites = {("memorized", "attention", 2): 50, ("memorized", "attention", 3): 3}
    found = judged("layer_bypass", bypassed(em=recites, n=39))
    assert found.loc[SPARES, ["verdict", "n"]].tolist() == ["holds", 39]


def test_the_pairs_that_choose_a_layer_do_not_judge_it():
    """The odd pairs alone need the last layer, and the even ones the one before."""
    tables = bypassed()
    rows = tables["layer_bypass"]
    ours, odd = (rows["block"] == "attention") & (rows["id"] < 1000), rows["id"] % 2
    for layer, em in ((2 + odd, 3), (3 - odd, 50)):
        rows.loc[ours & (rows["layer"] == layer), "em"] = em
    assert judged("layer_bypass", tables).loc[SPARES, ["verdict", "value"]].tolist() == ["does not hold", 0]


AT = {layer: ("memorized", "attention", layer) for layer in range(4)}


@pytest.mark.parametrize(
    ("changes", "claim", "expected"),
    [
        ({"em": dict.fromkeys([AT[2], AT[3]], 50)}, SPARES, "does not hold"),
        ({"gained": {("non_memorized", "attention", at): 0.9 for at in (2, 3)}}, SPARES, "does not hold"),
        ({"gained": {AT[0]: 2.0}}, LOWER, "holds"),
        ({"gained": {AT[3]: 2.0}}, LOWER, "does not hold"),
        ({"gained": dict.fromkeys(AT.values(), 4.0), "noise": 0.001}, LOWER, "no difference that matters"),
        ({"gained": {("memorized", "mlp", 0): 20.0}, "noise": 0.001}, LOWER, "no difference that matters"),
        ({"gained": {AT[0]: 20.0}}, LOWER, "not applicable"),
        ({"n": 5}, LOWER, "too few"),
        ({"n_layers": 1}, SPARES, "not applicable"),
        ({"n": 0}, LOWER, "not applicable"),
        ({"n": 1}, SPARES, "not applicable"),
    ],
)
def test_layers_that_memorized_paragraphs_need(changes, claim, expected):
    """Attention alone counts, by shares of the harm whatever it is; a layer that leaves no model to compare
    (20 nats) ends the comparison."""
    assert verdicts("layer_bypass", bypassed(**changes))[claim] == expected


def test_the_share_of_lower_layers_is_of_what_a_paragraph_loses():
    """Three parts of four against one half: 25 points; what a layer improves counts as nothing."""
    lost = {AT[0]: 3.0, AT[1]: 3.0, AT[2]: 2.0, AT[3]: -5.0}
    others = {("non_memorized", *place[1:]): 1.0 for place in AT.values()}
    found = judged("layer_bypass", bypassed(gained=lost | others, noise=1e-6)).loc[LOWER]
    assert found["value"] == pytest.approx(25, abs=0.01)
