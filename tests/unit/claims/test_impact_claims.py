"""Claims on gradients at the perturbed and the impact position, on small tables whose verdicts are known."""

import numpy as np
import pandas as pd
import pytest

from memloc.claims.evaluate import evaluate
from memloc.claims.registry import topics
from memloc.settings.sections import sections

SETTINGS = sections({"paragraph": {"prefix": 50, "length": 100}})
ABOUT = {"model": "any", "data": "embedded"}
GPT_NEO = {"model": "EleutherAI/gpt-neo-125m", "data": "release"}
SPREAD = ["queries_grow_memorized", "queries_grow_perturbed"]


def gradients(n_spread, n_adjacent, factor=1.0, layers=(1.0, 1.0, 1.0), noise=0.1):
    """Queries at the impact position are `factor` times as large in pairs that are spread.

    Sizes differ between pairs by orders of magnitude, and between layers as given.
    """
    random = np.random.default_rng(0)
    rows = []
    for name in range(n_spread + n_adjacent):
        spread, size = name < n_spread, 10.0 ** random.uniform(-6, 0)
        for group in ("memorized", "perturbed"):
            for layer, of_layer in enumerate(layers):
                for component in "qk":
                    value = size * of_layer * np.exp(random.normal(0, noise))
                    grown = value * factor if spread and component == "q" else value
                    rows.append((group, name, layer, component, 0, 2 if spread else 3, value, "perturbed"))
                    rows.append((group, name, layer, component, 0, 3, grown, "impact"))
    columns = ["group", "id", "layer", "component", "head", "position", "max_abs", "role"]
    return pd.DataFrame(rows, columns=columns)


def judged(frame, about=ABOUT):
    return evaluate(topics()["impact"], {"impact_gradients": frame}, SETTINGS, about).set_index("id")


@pytest.mark.parametrize(
    ("factor", "verdict", "value"),
    [(3, "holds", 0.5), (1 / 3, "does not hold", -0.5), (1, "does not hold", 0)],
)
def test_queries_grow_or_not(factor, verdict, value):
    found = judged(gradients(10, 30, factor))
    assert found.loc[SPREAD, "verdict"].tolist() == [verdict] * 2
    assert found.loc[SPREAD, "value"].tolist() == pytest.approx([value] * 2)
    assert found.loc[SPREAD, "n"].tolist() == [10, 10]


def test_each_group_is_judged_by_its_own_queries():
    frame = gradients(10, 30, 3)
    keys = (
        frame["component"].map({"q": "k", "k": "q"}).where(frame["group"] == "perturbed", frame["component"])
    )
    assert judged(frame.assign(component=keys)).loc[SPREAD, "verdict"].tolist() == ["holds", "does not hold"]


def test_growth_is_that_of_the_mean_over_layers():
    """In one of three layers, queries are five times as large at the impact position: the mean is 7 / 3."""
    frame = gradients(8, 0, noise=0)
    grown = (frame["layer"] == 1) & (frame["component"] == "q") & (frame["role"] == "impact")
    frame.loc[grown, "max_abs"] *= 5
    assert judged(frame).loc[SPREAD, "value"].tolist() == pytest.approx([(7 - 3) / (7 + 3)] * 2)


def test_pairs_whose_positions_are_one_say_nothing():
    found = judged(gradients(0, 10))
    assert found.loc[SPREAD, "verdict"].tolist() == ["not applicable"] * 2


@pytest.mark.parametrize("n", [1, 2])
def test_few_pairs_stay_undecided(n):
    found = judged(gradients(n, 0, 3), GPT_NEO)
    assert set(found.loc[SPREAD, "verdict"]) == {"undecided"}
    judging = {1: "not applicable", 2: "undecided"}  # of one pair, none is left to judge
    leads = ["key_query_layer_leads", "published_key_query_layer_leads"]
    assert set(found.loc[leads, "verdict"]) == {judging[n]}


def test_no_gradient_at_all_is_no_growth():
    frame = gradients(20, 0)
    assert set(judged(frame.assign(max_abs=0.0), GPT_NEO)["verdict"]) == {"does not hold"}


@pytest.mark.parametrize(
    ("layers", "verdict"),
    [
        ((1, 3, 1), "holds"),
        ((1, 3), "holds"),
        ((1, 3, 3), "undecided"),
        ((1, 1, 1), "undecided"),
        ((1,), "not applicable"),
    ],
)
def test_one_layer_leads_or_not(layers, verdict):
    assert judged(gradients(40, 0, layers=layers)).loc["key_query_layer_leads", "verdict"] == verdict


PUBLISHED_LAYER = "published_key_query_layer_leads"


@pytest.mark.parametrize(
    ("layers", "verdict"),
    [
        ((1, 1, 2), "holds"),
        ((2, 1, 1), "does not hold"),
        ((1, 1, 1.01), "undecided"),
        ((1,), "not applicable"),
    ],
)
def test_the_published_layer_leads_or_not(layers, verdict):
    frame = gradients(40, 0, layers=layers, noise=0.5)
    assert judged(frame, GPT_NEO).loc[PUBLISHED_LAYER, "verdict"] == verdict
    assert judged(frame).loc[PUBLISHED_LAYER, "verdict"] == "not applicable"


def test_a_layer_is_judged_by_all_its_gradients():
    """Layer 0 has the largest one and no other, layer 2 has four of 0.8 of that size."""
    frame = gradients(8, 0)
    largest = (frame["component"] == "q") & (frame["role"] == "impact")
    frame["max_abs"] = np.select([frame["layer"] == 2, (frame["layer"] == 0) & largest], [0.8, 1.0], 0.0)
    assert judged(frame).loc["key_query_layer_leads", "value"] == pytest.approx((3.2 - 1) / 4.2)
