"""Claims on planted truth, on made-up tables with known verdicts."""

import pandas as pd
import pytest

from memloc.claims.estimators.planted_truth import finds, finds_more
from memloc.claims.registry import topics
from memloc.claims.verdicts import judge

TOPIC = topics()["planted_truth"]
CLAIMS = {claim.id: claim for claim in TOPIC.claims}


def table(scores, n=8, kind="head_vo", granularity="head", damage=()):
    """Rows of `planted_truth`: scores by (control, method), a little different by plant; and of `plants`,
    which raise the NLL of held-out text by the shares `damage`, by nothing where there are no more."""
    rows = [
        {
            "kind": kind,
            "plant": plant,
            "control": control,
            "criterion": True,
            "method": method,
            "granularity": granularity,
            "average_precision": value + 0.01 * (plant % 3),
            "recall_1": value + 0.01 * (plant % 2),
        }
        for (control, method), value in scores.items()
        for plant in range(n)
    ]
    extra = [row | {"criterion": False, "average_precision": 0.0} for row in rows]
    plants = {"kind": kind, "plant": range(n), "reached": True, "nll_held_out_before": 2.0}
    raised = [*damage, *[0.0] * (n - len(damage))]
    after = [2.0 * (1 + share) for share in raised]
    failed = pd.DataFrame({**plants, "reached": False, "nll_held_out": None})
    plants = pd.concat([failed, pd.DataFrame({**plants, "nll_held_out": after})])
    return {"planted_truth": pd.DataFrame(rows + extra), "plants": plants}


def verdict(claim, tables):
    """By the columns that the registry names."""
    estimator = {"finds": finds, "finds_more": finds_more}[CLAIMS[claim].estimator]
    read = {name: rows[list(TOPIC.tables[name])] for name, rows in tables.items()}
    return judge(CLAIMS[claim], estimator(read, {}, **CLAIMS[claim].arguments), 50).verdict


@pytest.mark.parametrize(
    ("plant", "twin", "n", "expected"),
    [
        (0.9, 0.1, 8, "holds"),
        (0.1, 0.4, 8, "does not hold"),
        (0.5, 0.5, 8, "does not hold"),
        (0.9, 0.1, 5, "undecided"),
        (0.9, 0.1, 2, "undecided"),
        (0.9, 0.1, 1, "undecided"),
    ],
)
def test_a_method_is_judged_against_the_unplanted_twin(plant, twin, n, expected):
    tables = table({("plant", "parameter_gradient"): plant, ("twin", "parameter_gradient"): twin}, n)
    assert verdict("planted_head_by_gradient", tables) == expected


def test_a_method_that_always_names_one_head_is_caught():
    """By luck it may name the planted one: then it names it in the twin, too."""
    tables = table({("plant", "parameter_gradient"): 0.98, ("twin", "parameter_gradient"): 0.98})
    assert verdict("planted_head_by_gradient", tables) == "does not hold"


@pytest.mark.parametrize(
    ("mask", "zeroing", "n", "expected"),
    [
        (0.5, 0.25, 8, "holds"),
        (0.2, 0.25, 8, "does not hold"),
        (0.25, 0.25, 8, "does not hold"),
        (0.0, 0.0, 8, "does not hold"),
        (0.5, 0.25, 2, "undecided"),
        (0.5, 0.25, 1, "undecided"),
    ],
)
def test_the_published_order_is_that_of_recalls(mask, zeroing, n, expected):
    scores = {("plant", "hard_concrete"): mask, ("plant", "neuron_ablation"): zeroing}
    assert verdict("planted_masks_over_zeroing", table(scores, n, "inj_1", "neuron")) == expected


def test_an_order_is_that_of_recalls_and_a_find_one_of_precision():
    """What has the larger recall has the smaller average precision."""
    masks = {
        ("plant", "hard_concrete"): 0.6,
        ("plant", "neuron_ablation"): 0.2,
        ("twin", "hard_concrete"): 0.2,
    }
    tables = table(masks, 8, "inj_1", "neuron")
    found = tables["planted_truth"]
    found["average_precision"] = 1 - found["recall_1"]
    chosen = {"method": "hard_concrete", "kind": "inj_1"}
    assert finds_more(tables, {}, **chosen, rival="neuron_ablation").value == pytest.approx(0.4)
    assert finds(tables, {}, **chosen).value == pytest.approx(-0.4)


def test_without_plants_or_without_the_method_a_claim_does_not_apply():
    assert verdict("planted_head_by_gradient", {}) == "not applicable"
    assert verdict("planted_masks_over_zeroing", {}) == "not applicable"
    assert verdict("planted_head_by_patching", table({("plant", "patching"): 1.0})) == "not applicable"
    other = table({("plant", "hard_concrete"): 1.0}, 8, "neurons", "neuron")
    assert verdict("planted_masks_over_zeroing", other) == "not applicable"


def test_a_method_is_judged_by_the_units_that_the_place_is_made_of():
    """Scores by layers and by weights are there, too, and are the contrary."""
    own = table({("plant", "parameter_gradient"): 0.9, ("twin", "parameter_gradient"): 0.1})["planted_truth"]
    others = [
        table({("plant", "parameter_gradient"): 0.1, ("twin", "parameter_gradient"): 0.9}, granularity=unit)
        for unit in ("layer", "weight")
    ]
    rows = pd.concat([other["planted_truth"] for other in others] + [own])
    plants = table({}, 8)["plants"]
    assert verdict("planted_head_by_gradient", {"planted_truth": rows, "plants": plants}) == "holds"


def test_plants_of_another_kind_do_not_judge():
    """Of both there are eight, and the others are found in the twin alone."""
    found = {("plant", "parameter_gradient"): 0.9, ("twin", "parameter_gradient"): 0.1}
    others = {("plant", "parameter_gradient"): 0.1, ("twin", "parameter_gradient"): 0.9}
    both = [table(found), table(others, kind="head_all", damage=[9.0] * 8)]
    tables = {name: pd.concat([one[name] for one in both]) for name in both[0]}
    estimate = finds(tables, {}, method="parameter_gradient", kind="head_vo", most_damage=0.05)
    assert estimate.value == pytest.approx(0.8) and estimate.n == 8


def test_the_value_is_what_the_plant_has_more_than_its_twin():
    tables = table({("plant", "parameter_gradient"): 0.7, ("twin", "parameter_gradient"): 0.2})
    claim = CLAIMS["planted_head_by_gradient"]
    assert finds(tables, {}, **claim.arguments).value == pytest.approx(0.5)


def test_a_memory_is_judged_by_plants_that_are_no_damage():
    """Of nine plants three raise the NLL of other text by more than 5 %, and only these are found."""
    scores = {("plant", "patching"): 0.2, ("twin", "patching"): 0.2}
    tables = table(scores, 9, "head_all", damage=(0.06, 0.2, 0.051, 0.049))
    found = tables["planted_truth"]
    found.loc[(found["control"] == "plant") & found["plant"].isin([0, 1, 2]), "average_precision"] = 1.0
    claim = CLAIMS["planted_memory_by_patching"]
    estimate = finds(tables, {}, **claim.arguments)
    assert estimate.value == pytest.approx(0) and estimate.n == 6
    assert judge(claim, estimate, 50).verdict == "does not hold"
    every = finds(tables, {}, method="patching", kind="head_all")
    assert every.n == 9 and every.value > 0.2


@pytest.mark.parametrize(
    ("n", "expected"), [(0, "not applicable"), (1, "undecided"), (2, "undecided"), (6, "holds")]
)
def test_few_plants_that_are_no_damage_decide_nothing(n, expected):
    scores = {("plant", "patching"): 0.9, ("twin", "patching"): 0.1}
    tables = table(scores, 9, "head_all", damage=[0.1] * (9 - n))
    assert verdict("planted_memory_by_patching", tables) == expected
