"""Claims on patched heads, on small tables whose verdicts are known."""

import numpy as np
import pandas as pd
import pytest
from made_settings import changed

from memloc.claims.evaluate import evaluate
from memloc.claims.registry import topics
from memloc.settings.sections import sections

SETTINGS = sections({"paragraph": {"prefix": 50, "length": 100}, "highlight": "auto"})
ABOUT = {"model": "any", "data": "embedded"}
GPT_NEO = {"model": "EleutherAI/gpt-neo-125m", "data": "release"}
DIRECTIONS = ["memorized_into_perturbed", "perturbed_into_memorized"]


def patching(n_pairs, effects=None, noise=1.0, n_kv_heads=4, method="exact"):
    """Changes of 2 layers of 4 heads: noise, and on top the effects of (layer, component, head)."""
    heads = {"q": 4, "k": n_kv_heads, "v": n_kv_heads}
    rows = [
        (name, direction, layer, component, head)
        for name in range(n_pairs)
        for direction in DIRECTIONS
        for layer in range(2)
        for component in "qkv"
        for head in range(heads[component])
    ]
    frame = pd.DataFrame(rows, columns=["id", "direction", "layer", "component", "head"])
    change = noise * np.random.default_rng(0).normal(size=len(frame))
    for (layer, component, head), effect in (effects or {}).items():
        here = (frame[["layer", "component", "head"]] == [layer, component, head]).all(axis=1)
        change[here] += effect * np.where(frame["direction"][here] == DIRECTIONS[0], 1, -1)
    return frame.assign(nll_change=change, method=method)


HEADS = [(layer, head) for layer in range(2) for head in range(4)]


def ranking(first=(1, 2)):
    """Two methods rank `first` first; patching and the combined ranking, which rests on it, rank it last."""
    order = [first, *(name for name in HEADS if name != first)]
    rows = [
        (method, *name, place)
        for method, names in {
            "parameter_gradient": order,
            "rare_tokens": order,
            "patching": order[::-1],
            "combined": order[::-1],
        }.items()
        for place, name in enumerate(names, 1)
    ]
    return pd.DataFrame(rows, columns=["method", "layer", "head", "rank"])


def judged(frame, about=ABOUT, named=(1, 2), highlight="auto"):
    tables = {"patching": frame, "head_ranking": ranking(named)}
    return evaluate(topics()["patching"], tables, changed(SETTINGS, highlight=highlight), about).set_index(
        "id"
    )


def lead(frame):
    return judged(frame).loc["patched_head_leads"]


def test_a_single_head_has_no_other_to_lead():
    frame = patching(30, {(0, "v", 0): 5})
    found = lead(frame[(frame["layer"] == 0) & (frame["head"] == 0)])
    assert (found["verdict"], found["reason"]) == ("not applicable", "the model has one head")


def test_one_head_leads():
    found = lead(patching(30, {(1, "v", 2): 5}))
    assert found["verdict"] == "holds" and found["n"] == 15
    assert found["value"] == pytest.approx(5 - 0.8, abs=0.3)  # the mean size of noise is 0.8


def test_of_two_equal_heads_none_leads():
    assert lead(patching(30, {(1, "v", 2): 5, (0, "q", 1): 5}))["verdict"] == "undecided"


def test_components_of_one_head_are_no_rivals():
    effects = {(1, "v", 2): 5, (1, "q", 2): 5}
    assert lead(patching(30, effects))["verdict"] == "holds"
    grouped = {(1, "v", 1): 5, (1, "q", 2): 5, (1, "q", 3): 5}  # query heads 2 and 3 read key/value head 1
    assert lead(patching(30, grouped, n_kv_heads=2))["verdict"] == "holds"
    apart = {(1, "v", 1): 5, (1, "q", 1): 5}
    assert lead(patching(30, apart, n_kv_heads=2))["verdict"] == "undecided"


def test_noise_alone_has_no_leader():
    """The largest of 24 means of noise is above the others on the pairs that chose it, whatever they are."""
    for n_pairs in (12, 30, 60):
        assert lead(patching(n_pairs))["verdict"] != "holds"


def test_the_head_is_judged_by_pairs_that_did_not_choose_it():
    frame = patching(30, {(0, "k", 3): 5})
    chosen = (
        (frame["layer"] == 1) & (frame["component"] == "v") & (frame["head"] == 2) & (frame["id"] % 2 == 0)
    )
    frame.loc[chosen, "nll_change"] += 20
    assert lead(frame)["verdict"] == "does not hold"


@pytest.mark.parametrize(("n_pairs", "verdict"), [(1, "not applicable"), (2, "undecided"), (11, "undecided")])
def test_few_pairs_decide_nothing(n_pairs, verdict):
    found = judged(patching(n_pairs, {(1, "v", 2): 50}), GPT_NEO)
    leads = ["patched_head_leads", "published_patched_head_leads"]
    assert set(found.loc[leads, "verdict"]) == {verdict}


def test_patches_without_any_effect_have_no_leader_and_point_nowhere():
    assert set(judged(patching(30, noise=0), GPT_NEO)["verdict"]) == {"does not hold"}


def test_estimated_patches_decide_nothing():
    assert lead(patching(30, {(1, "v", 2): 5}, method="attribution"))["verdict"] == "undecided"
    one = patching(30, {(1, "v", 2): 5})
    one.loc[7, "method"] = "attribution"
    assert lead(one)["verdict"] == "undecided"
    found = judged(patching(30, {(1, "v", 2): 5}, method="attribution"), GPT_NEO)
    assert found.loc["published_patched_head_leads", "verdict"] == "undecided"


@pytest.mark.parametrize(("head", "verdict"), [(2, "holds"), (1, "does not hold")])
def test_the_published_head_leads_or_not(head, verdict):
    frame = patching(30, {(1, "v", head): 5, (1, "k", 2): 2})
    found = judged(frame, GPT_NEO).loc["published_patched_head_leads"]
    assert found[["verdict", "n"]].tolist() == [verdict, 15]
    assert judged(frame).loc["published_patched_head_leads", "verdict"] == "not applicable"


def test_a_published_head_that_is_first_by_chance_is_undecided():
    """The largest of 24 means of noise is somebody's: being first in a sample is no lead."""
    found = judged(patching(30, {(1, "v", 2): 0.3}), GPT_NEO).loc["published_patched_head_leads"]
    assert found["verdict"] == "undecided"


ELSEWHERE = "patching_points_elsewhere"


@pytest.mark.parametrize(
    ("effects", "verdict"),
    [
        ({(0, "q", 1): 5}, "holds"),
        ({(0, "q", 1): 5, (1, "v", 2): 3}, "holds"),
        ({(1, "v", 2): 5}, "does not hold"),
        ({(1, "v", 2): 5, (0, "q", 1): 3}, "does not hold"),
        ({(0, "q", 1): 5, (1, "v", 2): 5}, "undecided"),
        ({}, "undecided"),
    ],
)
def test_patching_points_at_the_head_of_the_other_methods_or_elsewhere(effects, verdict):
    assert judged(patching(30, effects)).loc[ELSEWHERE, "verdict"] == verdict


def test_the_head_of_the_other_methods_is_not_that_of_patching_itself():
    found = judged(patching(30, {(0, "q", 1): 5}), named=(0, 1)).loc[ELSEWHERE]
    assert found["verdict"] == "does not hold"
    configured = judged(patching(30, {(0, "q", 1): 5}), named=(0, 1), highlight={"layer": 1, "head": 2})
    assert configured.loc[ELSEWHERE, "verdict"] == "holds"


def test_query_heads_of_one_key_value_head_are_one():
    frame = patching(30, {(1, "v", 1): 5}, n_kv_heads=2)  # query heads 2 and 3 read it
    assert judged(frame, named=(1, 3)).loc[ELSEWHERE, "verdict"] == "does not hold"
    assert judged(frame, named=(1, 1)).loc[ELSEWHERE, "verdict"] == "holds"


@pytest.mark.parametrize("n_pairs", [1, 2, 11])
def test_few_pairs_do_not_point_anywhere(n_pairs):
    assert judged(patching(n_pairs, {(0, "q", 1): 50})).loc[ELSEWHERE, "verdict"] in (
        "not applicable",
        "undecided",
    )
