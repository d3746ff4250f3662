"""Claims on ablated heads, disturbed weights and bypassed blocks, on tables with known verdicts."""

import numpy as np
import pandas as pd
import pytest
from made_claims import judged, spread, verdicts

GROUPS = ("memorized", "non_memorized")
HEADS = [(layer, head) for layer in range(2) for head in range(3)]
LEADS, SOME = "highlighted_head_leads_its_layer", "some_head_specific"


def ids(group, n):
    """Of n paragraphs of memorized, or of others."""
    return np.arange(n) + 1000 * GROUPS.index(group)


def pairs(n):
    """Table sets of n pairs, in which others are partly memorized, or not."""
    sets = {"set": ["memorized"] * n + ["partly_11_29", "non_memorized"] * n}
    frame = pd.DataFrame({"set": sets["set"][: 2 * n], "pair": [*range(n), *range(n)]})
    return frame.assign(id=np.concatenate([ids(group, n) for group in GROUPS])).astype({"pair": "Int64"})


def ablated(effects, n=20, noise=0.1):
    """NLL gained by (group, layer, head) of paired paragraphs, and noise; 100 of those in no pair."""
    rows = []
    for seed, (layer, head) in enumerate(HEADS):
        for place, group in enumerate(GROUPS):
            gained = effects.get((group, layer, head), 0) + spread(n, 0, noise, 2 * seed + place)
            paired = pd.DataFrame({"group": "paired", "id": ids(group, n), "nll_gained": gained})
            unpaired = pd.DataFrame({"group": group, "id": 5000 + ids(group, 30), "nll_gained": 100.0})
            rows.append(pd.concat([paired, unpaired]).assign(replacement="mean", layer=layer, head=head))
    order = pd.DataFrame(HEADS, columns=["layer", "head"]).assign(method="combined", rank=[3, 2, 1, 4, 5, 6])
    # Highlighted: head 2 of layer 0.
    return {"head_ablation": pd.concat(rows), "head_ranking": order, "sets": pairs(n)}


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
    assert configured["value"] == found["value"]
    assert found["high"] - found["low"] > 1.15 * (configured["high"] - configured["low"])


def test_few_pairs_none_and_no_change_decide_nothing():
    assert set(verdicts("head_ablation", ablated({OWN: 1}, n=5)).values()) == {"undecided"}
    assert set(verdicts("head_ablation", ablated({}, noise=0)).values()) == {"undecided"}
    none = judged("head_ablation", ablated({}, n=0))
    assert set(none["reason"]) == {"no pairs of equal count"} and set(none["verdict"]) == {"not applicable"}


def ordered(memorized, others=0.0, n_orders=39, paired=True):
    """NLL gained without 1 and 4 heads of the combined ranking, and 0 to 1 in random orders."""
    rows = []
    for draw in range(-1, n_orders):
        method, cost = ("combined", memorized) if draw < 0 else ("random", draw / 38)
        for group, gained in (("memorized", cost), ("non_memorized", others if draw < 0 else 0.0)):
            for k in (0, 1, 4):
                frame = {"group": "paired" if paired else group, "id": ids(group, 8), "method": method}
                frame |= {"draw": max(draw, 0), "n_heads": k, "nll_gained": gained if k else 9.0}
                rows.append(pd.DataFrame(frame))
    return {"cumulative_ablation": pd.concat(rows), "sets": pairs(8)}


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
    rng, rows = np.random.default_rng(0), []
    shifts = spread(n_draws, 0, per_draw)
    for arm in ("top", "random"):
        for kind, size in (("noise", 0.0), ("noise", 1.0), ("noise", 3.0), ("zero", np.nan)):
            for draw in range(n_draws):
                for group in GROUPS:
                    nll = 2 + 0.1 * rng.normal(size=n)
                    if arm == "top" and size > 0:
                        nll = nll + top[group] + shifts[draw] * (group == "memorized")
                    labels = {"arm": arm, "kind": kind, "size": size, "draw": draw}
                    rows.append(pd.DataFrame(labels | {"group": "paired", "id": ids(group, n), "nll": nll}))
                    rows.append(pd.DataFrame(labels | {"group": group, "id": range(9), "nll": 99.0}))
    return {"weight_noise": pd.concat(rows), "sets": pairs(n)}


@pytest.mark.parametrize(
    ("top", "options", "expected"),
    [
        ((1.0, 0.1), {}, "holds"),
        ((1.0, 1.5), {}, "does not hold"),
        ((1.0, 0.1), {"per_draw": 3.0}, "undecided"),  # draws disagree
        ((1.0, 0.1), {"n_draws": 5}, "undecided"),
        ((1.0, 0.1), {"n": 5}, "undecided"),
        ((1.0, 0.1), {"n": 0}, "not applicable"),
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


SPARES, LOWER = "deeper_attention_spares_others", "lower_layers_hold_more"


def bypassed(em=None, gained=None, n=40, n_layers=4):
    """What is left, and gained, without (group, block, layer): by default 45 tokens and 0.1 nats."""
    rows = []
    for block, ways in (("attention", ("identity", "mean")), ("mlp", ("zero", "mean"))):
        for way in ways:
            for layer in range(n_layers):
                for group in GROUPS:
                    key = (group, block, layer)
                    noise = spread(n, seed=layer + 10 * GROUPS.index(group))
                    frame = {"block": block, "way": way, "layers": "alone", "layer": layer}
                    frame |= {"group": "paired", "id": ids(group, n), "em": (em or {}).get(key, 45)}
                    rows.append(pd.DataFrame(frame | {"nll_gained": (gained or {}).get(key, 0.1) + noise}))
    return {"layer_bypass": pd.concat(rows), "sets": pairs(n)}


def test_a_deeper_layer_that_recites_and_does_nothing_else():
    recites = {("memorized", "attention", 2): 50, ("memorized", "attention", 3): 3}
    found = judged("layer_bypass", bypassed(em=recites, n=39))
    assert found["verdict"].to_dict() == {SPARES: "holds", LOWER: "undecided"}
    assert found["n"].tolist() == [20, 39], "the larger half of the pairs judges the layer"


@pytest.mark.parametrize(
    ("changes", "claim", "expected"),
    [
        ({"em": dict.fromkeys([("memorized", "attention", at) for at in (2, 3)], 50)}, SPARES, "undecided"),
        ({"gained": {("non_memorized", "attention", at): 0.9 for at in (2, 3)}}, SPARES, "does not hold"),
        ({"gained": {("memorized", "mlp", 0): 2.0}}, LOWER, "holds"),
        ({"gained": {("memorized", "mlp", 3): 2.0}}, LOWER, "does not hold"),
        ({"n": 5}, LOWER, "undecided"),
        ({"n_layers": 1}, SPARES, "not applicable"),
        ({"n": 0}, LOWER, "not applicable"),
    ],
)
def test_layers_that_memorized_paragraphs_need(changes, claim, expected):
    assert verdicts("layer_bypass", bypassed(**changes))[claim] == expected
