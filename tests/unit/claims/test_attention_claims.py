"""Claims on value gradients and attention of a head against the others of its layer, and the next layer's."""

import numpy as np
import pandas as pd
import pytest
from made_settings import changed

from memloc.claims.estimators import attention, other_layers
from memloc.claims.registry import topics
from memloc.claims.verdicts import judge
from memloc.settings.base import Section
from memloc.settings.sections import sections

CLAIMS = {claim.id: claim for name in ("attention", "other_layers") for claim in topics()[name].claims}
N_PREFIX = 12
SETTINGS = sections({"highlight": {"layer": 1, "head": 0}, "paragraph": {"prefix": N_PREFIX}})


def profiles(kinds: dict, n: int, noise: float, seed: int = 0) -> pd.DataFrame:
    """Rows id, layer, head, position, value. Kinds per (layer, head): 1 with, -1 against the paragraph's own
    profile, 0 neither."""
    random = np.random.default_rng(seed)
    rows = []
    for paragraph in range(n):
        own = random.normal(size=N_PREFIX)
        for (layer, head), kind in kinds.items():
            value = 10 + kind * own + (noise if kind else 1) * random.normal(size=N_PREFIX)
            frame = {"id": paragraph, "layer": layer, "head": head, "position": range(N_PREFIX)}
            rows.append(pd.DataFrame(frame | {"value": value}))
    return pd.concat(rows, ignore_index=True)


HEADS = [(layer, head) for layer in range(2) for head in range(4)]
ALIKE = dict.fromkeys(HEADS, 1)
OPPOSED = ALIKE | {(1, 0): -1}


def tables(kinds: dict, n: int = 20, noise: float = 0.5, kinds_of_values: dict | None = None) -> dict:
    values = profiles(kinds_of_values or kinds, n, noise, seed=1).rename(columns={"value": "max_abs"})
    found = profiles(kinds, n, noise).rename(columns={"value": "attention"})
    noise = 1000 * np.random.default_rng(2).random((4, len(values)))  # what is not looked at
    others = found.assign(id=found["id"] + 100)  # of non-memorized paragraphs
    others["attention"] = np.resize(noise[3], len(others))
    later = values.assign(position=values["position"] + N_PREFIX, max_abs=0.0)
    perturbed = values.assign(group="perturbed", max_abs=noise[0])
    queries = values.assign(component="q", max_abs=noise[1])
    other = values.assign(group="non_memorized", id=values["id"] + 100, max_abs=noise[2])
    gradients = pd.concat([values, later, perturbed, queries, other])
    gradients = gradients.fillna({"group": "memorized", "component": "v"})
    ids = np.concatenate([np.arange(n), 100 + np.arange(n)])
    sets = pd.DataFrame(
        {"id": ids, "set": np.where(ids < 100, "memorized", "non_memorized"), "sampled": True}
    )
    rows = [("combined", layer, head, place) for place, (layer, head) in enumerate(HEADS, 1)]
    return {
        "activation_gradients": gradients,
        "attention": pd.concat([found, others]),
        "sets": sets,
        "head_ranking": pd.DataFrame(rows, columns=["method", "layer", "head", "rank"]),
    }


def verdict(id: str, found: dict, settings: Section = SETTINGS) -> str:
    claim = CLAIMS[id]
    module = attention if claim.estimator == "opposed" else other_layers
    estimate = getattr(module, claim.estimator)(found, settings, **claim.arguments)
    return judge(claim, estimate, 50).verdict


OPPOSITIONS = [id for id in CLAIMS if id.endswith("opposed")]


@pytest.mark.parametrize("id", OPPOSITIONS)
def test_an_opposed_head_holds_and_one_like_the_others_does_not(id):
    assert verdict(id, tables(OPPOSED)) == "holds"
    assert verdict(id, tables(ALIKE)) == "does not hold"


@pytest.mark.parametrize("id", OPPOSITIONS)
def test_heads_without_any_likeness_are_not_opposed(id):
    assert verdict(id, tables(dict.fromkeys(HEADS, 0))) != "holds"


@pytest.mark.parametrize("id", OPPOSITIONS)
def test_two_heads_are_enough_to_be_opposed_and_one_is_not(id):
    assert verdict(id, tables({(0, 0): 1, (0, 1): 1, (1, 0): -1, (1, 1): 1})) == "holds"
    claim, alone = CLAIMS[id], tables({(0, 0): 1, (1, 0): 1})
    estimate = attention.opposed(alone, SETTINGS, **claim.arguments)
    assert judge(claim, estimate, 50) == ("not applicable", "the layers have a single head")


def test_gradients_and_attention_are_judged_by_themselves():
    found = tables(OPPOSED, kinds_of_values=ALIKE)
    assert verdict("attention_opposed", found) == verdict("some_attention_opposed", found) == "holds"
    for id in ("value_gradients_opposed", "some_value_gradients_opposed"):
        assert verdict(id, found) == "does not hold"


def test_the_highlighted_head_is_judged_whatever_another_does():
    found = tables(ALIKE | {(0, 2): -1})
    assert verdict("attention_opposed", found) == "does not hold"
    assert verdict("some_attention_opposed", found) == "holds"
    auto = changed(SETTINGS, highlight="auto")  # the ranking begins with head 0 of layer 0
    assert verdict("attention_opposed", tables(ALIKE | {(0, 0): -1}), auto) == "holds"


def test_the_opposition_is_minus_the_mean_correlation_with_the_others():
    found = tables(OPPOSED)
    wide = (
        found["attention"]
        .query("id < 100 and layer == 1")
        .pivot(index=["id", "head"], columns="position", values="attention")
    )
    values = [-np.corrcoef(wide.loc[paragraph])[0, 1:].mean() for paragraph in range(20)]
    assert attention.opposed(found, SETTINGS, "attention", "highlighted").value == pytest.approx(
        np.mean(values)
    )


def test_a_head_that_is_opposed_in_the_choosing_half_only_does_not_hold():
    found = tables(ALIKE)
    rows = found["attention"]
    luck = (rows["id"] < 100) & (rows["id"] % 2 == 0) & (rows["layer"] == 0) & (rows["head"] == 1)
    rows.loc[luck, "attention"] = 20 - rows.loc[luck, "attention"]
    assert verdict("some_attention_opposed", found) == "does not hold"


@pytest.mark.parametrize("id", ["some_attention_opposed", "some_value_gradients_opposed"])
def test_a_head_that_never_varies_is_not_the_one_that_is_opposed(id):
    found = tables(ALIKE | {(1, 2): -1})
    for name, column in (("attention", "attention"), ("activation_gradients", "max_abs")):
        rows = found[name].reset_index(drop=True)
        rows.loc[(rows["layer"] == 0) & (rows["head"] == 0), column] = 0.5
        found[name] = rows
    assert verdict(id, found) == "holds"


def test_the_searched_head_is_chosen_on_half_of_the_paragraphs_and_judged_on_the_rest():
    """Head 2 is the most opposed in paragraphs 0, 2, .. and head 0 in 1, 3, .."""
    chosen, judged = [0.1, 0.5, -0.3], [-0.9, 0.5, 0.3]  # head 0 is the most opposed of all in the mean
    likeness = pd.DataFrame([chosen, judged] * 8)
    found = attention._searched(likeness)
    assert (found.value, found.n) == (pytest.approx(-0.3), 8)


def test_query_heads_are_judged_by_the_values_that_they_share():
    found = tables(ALIKE, kinds_of_values=ALIKE | {(1, 1): -1})
    rows = found["activation_gradients"]
    found["activation_gradients"] = rows[rows["head"] < 2]
    heads = {head: changed(SETTINGS, highlight={"layer": 1, "head": head}) for head in range(4)}
    likeness = [attention.opposed(found, heads[head], "gradient", "highlighted").value for head in range(4)]
    assert likeness[0] == likeness[1] and likeness[2] == likeness[3]


def test_a_single_head_has_nothing_to_be_opposed_to():
    found = tables({(0, 0): 1, (1, 0): 1})
    for id in OPPOSITIONS:
        assert verdict(id, found) == "not applicable"


NEXT = "next_layer_attends_elsewhere"
LAST = changed(SETTINGS, highlight={"layer": 0, "head": 0})


def test_the_next_layer_is_compared_with_its_closest_head():
    elsewhere = dict.fromkeys(HEADS, 0)
    assert verdict(NEXT, tables(elsewhere), LAST) == "holds"
    assert verdict(NEXT, tables(elsewhere | {(0, 0): 1, (1, 3): 1}, noise=0.1), LAST) == "does not hold"


def test_identical_heads_are_at_no_distance():
    found = tables(ALIKE, noise=0)
    assert other_layers.distance_of_closest(found, LAST).value == pytest.approx(0, abs=1e-12)


def test_paragraphs_outside_of_the_sample_are_not_compared():
    found = tables(dict.fromkeys(HEADS, 0) | {(0, 0): 1, (1, 3): 1}, noise=0.1)
    expected = other_layers.distance_of_closest(found, LAST)
    outside = found["attention"].query("id < 100").assign(id=lambda rows: rows["id"] + 200)
    outside["attention"] = np.random.default_rng(5).normal(size=len(outside))
    found["attention"] = pd.concat([found["attention"], outside])
    extra = {"id": 200 + np.arange(20), "set": "memorized", "sampled": False}
    found["sets"] = pd.concat([found["sets"], pd.DataFrame(extra)])
    assert other_layers.distance_of_closest(found, LAST) == expected


def test_a_single_layer_has_no_next():
    found = tables({(0, 0): 1, (0, 1): 1})
    assert verdict(NEXT, found, LAST) == "not applicable"


@pytest.mark.parametrize("id", ["attention_opposed", "value_gradients_opposed", NEXT])
def test_a_head_that_the_methods_chose_on_the_same_paragraphs_has_an_interval_that_allows_for_the_choice(id):
    found = tables(dict.fromkeys(HEADS, 0))
    claim, configured = CLAIMS[id], changed(SETTINGS, highlight={"layer": 0, "head": 0})
    module = attention if claim.estimator == "opposed" else other_layers
    alone, chosen = (
        getattr(module, claim.estimator)(found, settings, **claim.arguments)
        for settings in (configured, changed(SETTINGS, highlight="auto"))  # the ranking begins with it, too
    )
    assert (chosen.value, chosen.n) == (pytest.approx(alone.value), alone.n)
    assert chosen.high - chosen.low > 1.1 * (alone.high - alone.low)


@pytest.mark.parametrize("id", CLAIMS)
@pytest.mark.parametrize("n", [1, 2, 4])
def test_few_paragraphs_decide_nothing(id, n):
    """Half of them choose where there is a choice: of one paragraph, none is left to judge."""
    found, expected = (
        tables(OPPOSED, n, noise=0.01),
        {"undecided"} | ({"not applicable"} if n == 1 else set()),
    )
    for highlight in ("auto", {"layer": 1, "head": 0}):
        assert verdict(id, found, changed(SETTINGS, highlight=highlight)) in expected


@pytest.mark.parametrize("id", CLAIMS)
@pytest.mark.parametrize("highlight", ["auto", {"layer": 1, "head": 0}])
def test_profiles_that_never_vary_cannot_be_compared(id, highlight):
    found = tables(ALIKE)
    found["attention"] = found["attention"].assign(attention=0.5)
    found["activation_gradients"] = found["activation_gradients"].assign(max_abs=0.0)
    assert verdict(id, found, changed(SETTINGS, highlight=highlight)) == "not applicable"


def test_two_query_heads_share_the_opposition_of_their_values():
    queries = {(layer, head): 1 for layer in range(2) for head in range(6)}
    values = {(layer, head): 1 for layer in range(2) for head in range(3)} | {(1, 1): -1}
    found = tables(queries, kinds_of_values=values)
    opposed = [
        attention.opposed(
            found, changed(SETTINGS, highlight={"layer": 1, "head": head}), "gradient", "highlighted"
        )
        for head in range(6)
    ]
    assert [estimate.value > 0.5 for estimate in opposed] == [False, False, True, True, False, False]


def test_the_closest_head_is_chosen_on_half_of_the_paragraphs_and_judged_on_the_rest():
    found = tables(dict.fromkeys(HEADS, 0))
    wide = found["attention"].pivot(index=["id", "layer", "head"], columns="position", values="attention")
    alike = np.array(
        [[np.corrcoef(wide.loc[i, 0, 0], wide.loc[i, 1, head])[0, 1] for head in range(4)] for i in range(20)]
    )
    closest = alike[::2].mean(axis=0).argmax()
    expected = 1 - alike[1::2, closest].mean()
    assert other_layers.distance_of_closest(found, LAST).value == pytest.approx(expected)
