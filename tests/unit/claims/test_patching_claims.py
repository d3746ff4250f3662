"""Claims on patched heads, on small tables whose verdicts are known."""

import numpy as np
import pandas as pd
import pytest

from memloc.claims.evaluate import evaluate
from memloc.claims.registry import topics

SETTINGS = {"paragraph": {"prefix": 4, "length": 10}}
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


def judged(frame, about=ABOUT):
    return evaluate(topics()["patching"], {"patching": frame}, SETTINGS, about).set_index("id")


def lead(frame):
    return judged(frame).loc["patched_head_leads"]


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
    assert lead(patching(n_pairs, {(1, "v", 2): 50}))["verdict"] == verdict


def test_patches_without_any_effect_have_no_leader():
    assert lead(patching(30, noise=0))["verdict"] == "does not hold"


def test_estimated_patches_decide_nothing():
    assert lead(patching(30, {(1, "v", 2): 5}, method="attribution"))["verdict"] == "undecided"
    found = judged(patching(30, {(1, "v", 2): 5}, method="attribution"), GPT_NEO)
    assert found.loc["patched_head", "verdict"] == "not applicable"


@pytest.mark.parametrize(("head", "verdict", "place"), [(2, "holds", 1), (1, "does not hold", 2)])
def test_the_published_head_is_the_first_or_not(head, verdict, place):
    frame = patching(30, {(1, "v", head): 5, (1, "k", 2): 2})
    found = judged(frame, GPT_NEO).loc["patched_head"]
    assert found[["verdict", "value"]].tolist() == [verdict, place]
    assert judged(frame).loc["patched_head", "verdict"] == "not applicable"
