"""Claims on ablated heads, disturbed weights and bypassed blocks, on tables with known verdicts."""

import numpy as np
import pandas as pd
import pytest
from made_claims import cells, judged, spread, verdicts
from made_tables import crossed

GROUPS = ("memorized", "non_memorized")
HEADS = [(layer, head) for layer in range(2) for head in range(3)]
LEADS, SOME = "highlighted_head_leads_its_layer", "some_head_specific"


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
EVERY = {("memorized", *head): 1 for head in HEADS}


@pytest.mark.parametrize(
    ("effects", "expected"),
    [
        ({OWN: 1}, ("holds", "holds")),
        ({OWN: 1, OTHERS: 3}, ("does not hold", "holds")),  # all text needs it, and others by comparison
        (EVERY, ("undecided", "undecided")),  # whatever is lost, memorized paragraphs lose more
        (EVERY | {OWN: 2, ("memorized", 0, 0): 2, ("memorized", 0, 1): 2}, ("undecided", "holds")),
        ({("memorized", 0, 0): 4}, ("does not hold", "holds")),  # another one of its layer
        ({OWN: 1, ("memorized", 1, 0): 9}, ("holds", "holds")),  # other layers are no rivals
    ],
)
def test_heads_that_memorized_paragraphs_need(effects, expected):
    found = judged("head_ablation", ablated(effects))
    assert tuple(found.loc[[LEADS, SOME], "verdict"]) == expected


def test_values_of_ablated_heads():
    effects = {OWN: 4, OTHERS: 1, ("memorized", 0, 0): 3, ("non_memorized", 0, 1): 1}
    found = judged("head_ablation", ablated(effects))
    specific = np.array([3, -1, 3, 0, 0, 0])  # of all heads
    expected = [3 - (specific[0] + specific[1]) / 2, specific.max() - specific.mean()]
    assert found.loc[[LEADS, SOME], "value"].tolist() == pytest.approx(expected)
    assert found["n"].tolist() == [20] * 2 and found["n_other"].isna().all()


def test_the_choice_among_heads_widens_the_interval_of_a_head_that_nobody_configured():
    given = ablated({OWN: 0.6}, noise=0.5)
    found = judged("head_ablation", given).loc[LEADS]
    configured = judged("head_ablation", given, highlight={"layer": 0, "head": 2}).loc[LEADS]
    assert configured["value"] == pytest.approx(found["value"])
    assert found["high"] - found["low"] > 1.15 * (configured["high"] - configured["low"])


def test_few_pairs_none_and_no_change_decide_nothing():
    assert set(verdicts("head_ablation", ablated({OWN: 1}, n=5)).values()) == {"undecided"}
    assert set(verdicts("head_ablation", ablated({}, noise=0)).values()) == {"undecided"}
    none = judged("head_ablation", ablated({}, n=0))
    assert set(none["reason"]) == {"no pairs of equal count"} and set(none["verdict"]) == {"not applicable"}


def ordered(memorized, others=0.0, n_orders=39, paired=True):
    """NLL gained without 1 and 4 heads of the combined ranking, and 0 to 1 in random orders."""
    rows = crossed(draw=range(-1, n_orders), group=GROUPS, n_heads=(0, 1, 4), id=range(8))
    combined, other = rows["draw"] < 0, rows["group"] == GROUPS[1]
    own = rows["draw"].div(38).where(~combined, memorized)
    rows["nll_gained"] = own.where(~other, combined * others).where(rows["n_heads"] > 0, 9.0)
    rows = rows.assign(id=rows["id"] + 1000 * other, draw=rows["draw"].clip(lower=0))
    rows = rows.assign(method=np.where(combined, "combined", "random"))
    return {"cumulative_ablation": rows.assign(group="paired") if paired else rows, "sets": pairs(8)}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"memorized": 1.01}, "holds"),  # above all 39 orders
        ({"memorized": 0.99}, "undecided"),
        ({"memorized": -0.01}, "does not hold"),
        ({"memorized": 2.0, "others": 1.5}, "undecided"),  # what all paragraphs need
        ({"memorized": 2.0, "n_orders": 38}, "undecided"),
        ({"memorized": 2.0, "paired": False}, "not applicable"),
    ],
)
def test_a_ranking_is_judged_by_its_place_among_random_orders(given, expected):
    assert verdicts("cumulative_ablation", ordered(**given)) == {"combined_finds_specific_heads": expected}


def disturbed(top, n=20, n_draws=8, per_draw=0.0):
    """NLL gained by noise on top and random weights: `top` by group; draws shift memorized ones."""
    axes = {"arm": ("top", "random"), "size": (0.0, 1.0, 3.0), "draw": range(n_draws)}
    axes["group"] = GROUPS
    rows, shifts = cells(axes, n, {}, 0.1), pd.Series(spread(n_draws, 0, per_draw))
    memorized, noisy = rows["group"] == GROUPS[0], (rows["arm"] == "top") & (rows["size"] > 0)
    more = rows["group"].map(top).astype(float) + memorized * rows["draw"].map(shifts)
    rows = rows.assign(nll=2 + rows["value"] + more * noisy)
    paired = rows.assign(group="paired", id=rows["id"] + 1000 * ~memorized)
    return {"weight_noise": pd.concat([paired, rows.assign(nll=99.0)]), "sets": pairs(n)}


@pytest.mark.parametrize(
    ("top", "options", "expected"),
    [
        ((1.0, 0.1), {}, "holds"),
        ((1.0, 1.5), {}, "does not hold"),
        ((1.0, 0.1), {"per_draw": 3.0}, "undecided"),  # draws disagree
        ((1.0, 0.1), {"n_draws": 5}, "undecided"),
        ((1.0, 0.1), {"n": 5}, "undecided"),
        ((1.0, 0.1), {"n": 0}, "not applicable"),
        ((9.0, 8.0), {}, "not applicable"),  # no model is left
    ],
)
def test_weights_that_memorized_paragraphs_need(top, options, expected):
    given = disturbed(dict(zip(GROUPS, top, strict=True)), **options)
    assert verdicts("weight_noise", given) == {"noise_on_top_is_specific": expected}


def test_the_effect_of_noise_is_the_mean_over_pairs_sizes_and_draws():
    given = disturbed({"memorized": 1.0, "non_memorized": 0.1}, n_draws=6)
    rows = given["weight_noise"].query("group == 'paired' and size > 0")
    means = rows.groupby([rows["arm"], rows["id"] < 1000])["nll"].mean()
    expected = means["top", True] - means["random", True] - means["top", False] + means["random", False]
    assert judged("weight_noise", given).iloc[0]["value"] == pytest.approx(expected)


@pytest.mark.parametrize(("top", "holds"), [((1.2, 0.8), False), ((1.2, 0.5), True)])
def test_more_harm_in_the_same_proportion_is_not_specific(top, holds):
    """Random weights cost memorized paragraphs twice as much as the others: 0.2 and 0.1 nats."""
    given = disturbed(dict(zip(GROUPS, top, strict=True)))
    rows = given["weight_noise"]
    random = (rows["group"] == "paired") & (rows["arm"] == "random") & (rows["size"] > 0)
    rows.loc[random, "nll"] += np.where(rows.loc[random, "id"] < 1000, 0.2, 0.1)
    found = judged("weight_noise", given).iloc[0]
    assert found["verdict"] == ("holds" if holds else "undecided")
    assert ("not shown to be more specific" in found["reason"]) is not holds


SPARES, LOWER = "deeper_attention_spares_others", "lower_layers_hold_more"


def bypassed(em=None, gained=None, n=40, n_layers=4):
    """What is left, and gained, without (group, block, layer): by default 45 tokens and 0.1 nats."""
    axes = {"way": ("identity", "mean"), "group": GROUPS}
    axes |= {"block": ("attention", "mlp"), "layer": range(n_layers)}
    rows = cells(axes, n, {}, 0.1)
    keys = [*zip(rows["group"], rows["block"], rows["layer"], strict=True)]
    rows["em"] = [(em or {}).get(key, 45) for key in keys]
    rows["nll_gained"] = rows["value"] + [(gained or {}).get(key, 0.1) for key in keys]
    rows["way"] = rows["way"].where((rows["block"] == "attention") | (rows["way"] == "mean"), "zero")
    rows["id"] += 1000 * (rows["group"] == GROUPS[1])
    return {"layer_bypass": rows.assign(group="paired"), "sets": pairs(n)}


def test_a_deeper_layer_that_recites_and_does_nothing_else():
    recites = {("memorized", "attention", 2): 50, ("memorized", "attention", 3): 3}
    found = judged("layer_bypass", bypassed(em=recites, n=39))
    assert found["verdict"].to_dict() == {SPARES: "holds", LOWER: "undecided"}
    assert found["n"].tolist() == [20, 39], "the larger half of the pairs judges the layer"


def test_the_pairs_that_choose_a_layer_do_not_judge_it():
    tables = bypassed()
    rows = tables["layer_bypass"]
    ours, odd = (rows["block"] == "attention") & (rows["id"] < 1000), rows["id"] % 2
    for layer, em in ((2 + odd, 3), (3 - odd, 50)):  # the odd pairs alone need the last layer
        rows.loc[ours & (rows["layer"] == layer), "em"] = em
    assert verdicts("layer_bypass", tables)[SPARES] == "undecided"


@pytest.mark.parametrize(
    ("changes", "claim", "expected"),
    [
        ({"em": dict.fromkeys([("memorized", "attention", at) for at in (2, 3)], 50)}, SPARES, "undecided"),
        ({"gained": {("non_memorized", "attention", at): 0.9 for at in (2, 3)}}, SPARES, "does not hold"),
        ({"gained": {("memorized", "attention", 0): 2.0}}, LOWER, "holds"),
        ({"gained": {("memorized", "attention", 3): 2.0}}, LOWER, "does not hold"),
        ({"gained": {("memorized", "mlp", 0): 20.0}}, LOWER, "undecided"),
        ({"gained": {("memorized", "attention", 0): 20.0}}, LOWER, "not applicable"),
        ({"n": 5}, LOWER, "undecided"),
        ({"n_layers": 1}, SPARES, "not applicable"),
        ({"n": 0}, LOWER, "not applicable"),
    ],
)
def test_layers_that_memorized_paragraphs_need(changes, claim, expected):
    """Attention alone counts; a layer that leaves no model to compare (20 nats) ends the comparison."""
    assert verdicts("layer_bypass", bypassed(**changes))[claim] == expected


def test_lower_layers_and_rankings_that_harm_others_in_proportion_are_in_doubt():
    lower = {("memorized", "attention", 0): 4.0, ("non_memorized", "attention", 0): 3.0}
    upper = dict.fromkeys([("memorized", "attention", layer) for layer in (2, 3)], 0.3)
    found = judged("layer_bypass", bypassed(gained=lower | upper)).loc[LOWER]
    assert found["verdict"] == "undecided" and "not shown to be more specific" in found["reason"]
    slightly = {("memorized", "attention", 0): 3.6, ("memorized", "attention", 2): 0.12}
    found = judged("layer_bypass", bypassed(gained=lower | slightly)).loc[LOWER]
    assert found["verdict"] == "undecided" and "lose 1.19 times as much" in found["reason"], (
        "ratios differ by chance"
    )
    ranked = ordered(memorized=3.0, others=0.5)
    rows = ranked["cumulative_ablation"]
    rows.loc[(rows["method"] == "random") & (rows["id"] >= 1000) & (rows["n_heads"] > 0), "nll_gained"] = 0.05
    found = judged("cumulative_ablation", ranked).iloc[0]
    assert found["verdict"] == "undecided" and "not shown to be more specific" in found["reason"]


def test_one_pair_cannot_choose_a_layer_and_judge_it():
    found = judged("layer_bypass", bypassed(n=1))
    assert found.loc[SPARES, "verdict"] == "not applicable"
    assert found.loc[SPARES, "reason"].startswith("one pair of equal count")
