"""Claims on the gradients of weights, on small tables whose verdicts are known."""

import numpy as np
import pandas as pd
import pytest

from memloc.claims.evaluate import evaluate
from memloc.claims.registry import topics
from memloc.settings.sections import sections

SETTINGS = sections({"paragraph": {"prefix": 50, "length": 100}})
ABOUT = {"model": "any", "data": "embedded"}
GPT_NEO = {"model": "EleutherAI/gpt-neo-125m", "data": "release"}


def paragraphs(sizes, n=8, noise=0.01, **numbers):
    """Gradients in 4 layers: `sizes` of scores by group, one per layer, whose squares are those of the
    gradients; `numbers` of paragraphs where it is not n."""
    rng = np.random.default_rng(0)
    rows = [
        (group, paragraph, layer, size * np.exp(noise * rng.normal()))
        for group, layers in sizes.items()
        for paragraph in range(numbers.get(group, n))
        for layer, size in enumerate(layers)
    ]
    frame = pd.DataFrame(rows, columns=["group", "id", "layer", "score_sum"])
    return frame.assign(sum_abs=frame["score_sum"] ** 2)


def samples(leads, n_parts=10, noise=0.0):
    """Two layers of 3 heads; `leads` by group: (component, layer, head) and how many times it is larger."""
    rng = np.random.default_rng(0)
    rows = []
    for group in ("memorized", "contrastive"):
        for kind in ("part", "rest"):
            for number in range(n_parts):
                for component in ("W_Q", "W_V"):
                    for layer in range(2):
                        for head in range(3):
                            size = leads.get((group, component, layer, head), 1.0)
                            size *= np.exp(noise * rng.normal())
                            rows.append((group, kind, number, layer, component, head, size))
                rows.append((group, kind, number, 0, "W_in", None, 1e6))
    columns = ["group", "sample", "number", "layer", "component", "head", "max_abs"]
    return pd.DataFrame(rows, columns=columns).astype({"head": "Int64"})


def judged(sizes=None, found=None, about=ABOUT):
    sizes = paragraphs(FALLING) if sizes is None else sizes
    found = samples({}) if found is None else found
    tables = {"paragraph_gradients": sizes, "parameter_gradient_samples": found}
    return evaluate(topics()["gradients"], tables, SETTINGS, about).set_index("id")


FALLING = {
    "non_memorized": [3, 3, 9, 9],
    "partly_11_29": [2, 2, 4, 4],
    "partly_30_49": [2, 2, 4, 4],
    "memorized": [2, 2, 2, 2],
}
SIZES = "non_memorized_gradients_larger"
LOWER = "memorized_gradients_smaller_in_lower_layers"
LEAN = "memorized_gradients_lean_to_lower_layers"
SMOOTH, SMOOTH_LEAN = "gradient_size_shifts_smoothly", "lower_share_shifts_smoothly"


def test_the_smaller_step_is_the_one_whose_interval_begins_lower():
    """A step may be the larger one and yet be the one that few partly memorized paragraphs leave open."""
    sizes = pd.concat(
        [
            paragraphs({"non_memorized": [5] * 4}, noise=0.9),
            paragraphs({"partly_11_29": [2] * 4, "memorized": [1] * 4}),
        ]
    )
    found = judged(sizes).loc[SMOOTH]
    sure = np.log(4)  # from partly memorized to memorized
    assert found["value"] > sure + 0.1 and found["low"] < sure - 0.1


def test_everything_holds_where_it_is_planted():
    found = judged()
    assert (found.loc[[SIZES, LOWER, LEAN, SMOOTH, SMOOTH_LEAN], "verdict"] == "holds").all()
    assert found.loc[SIZES, "value"] == pytest.approx(np.log(180 / 16), abs=0.02)
    assert found.loc[LOWER, "value"] == pytest.approx(np.log(6 / 4), abs=0.02)
    assert found.loc[LEAN, "value"] == pytest.approx(0.5 - 0.25, abs=0.02)
    assert found.loc[SMOOTH, "value"] == pytest.approx(np.log(40 / 16), abs=0.02)
    assert found.loc[SMOOTH_LEAN, "value"] == pytest.approx(1 / 3 - 0.25, abs=0.02)
    assert found.loc[SMOOTH, "n"] == 8


def test_nothing_holds_the_other_way_round():
    other = {"memorized": FALLING["non_memorized"], "non_memorized": FALLING["memorized"]}
    found = judged(paragraphs(FALLING | other))
    assert (found.loc[[SIZES, LOWER, LEAN, SMOOTH, SMOOTH_LEAN], "verdict"] == "does not hold").all()


def test_the_middle_one_of_three_layers_is_no_lower_one():
    three = {name: [sizes[0], 50, sizes[3]] for name, sizes in FALLING.items()}
    found = judged(paragraphs(three, noise=0.0))
    assert found.loc[LOWER, "value"] == pytest.approx(np.log(3 / 2))
    assert found.loc[LEAN, "value"] == pytest.approx(2 / 54 - 3 / 62)


def test_sizes_and_shares_are_different_claims():
    """Lower layers may have smaller gradients and yet the larger share, or the other way round."""
    both = {"non_memorized": [3, 3, 9, 9], "memorized": [4, 4, 1, 1]}
    found = judged(paragraphs(FALLING | both))
    assert found.loc[LEAN, "verdict"] == "holds" and found.loc[LOWER, "verdict"] == "does not hold"
    even = {"non_memorized": [3, 3, 3, 3], "memorized": [1, 1, 1, 1]}
    found = judged(paragraphs(FALLING | even))
    assert found.loc[LEAN, "verdict"] == "does not hold" and found.loc[LOWER, "verdict"] == "holds"


def test_a_smooth_shift_needs_both_steps():
    for level in ("non_memorized", "memorized"):
        jump = {"partly_11_29": FALLING[level], "partly_30_49": FALLING[level]}
        found = judged(paragraphs(FALLING | jump, noise=0.1))
        assert found.loc[SIZES, "verdict"] == "holds"
        assert found.loc[SMOOTH, "verdict"] == "undecided"


def test_few_paragraphs_decide_nothing():
    for n in (1, 2, 5):
        assert (judged(paragraphs(FALLING, n=n))["verdict"].loc[[SIZES, LOWER, LEAN]] == "undecided").all()
    found = judged(paragraphs(FALLING, partly_11_29=1, partly_30_49=2))
    assert found.loc[SIZES, "verdict"] == "holds" and found.loc[SMOOTH, "verdict"] == "undecided"
    found = judged(paragraphs(FALLING, partly_11_29=1, partly_30_49=5))
    assert found.loc[SMOOTH, "verdict"] == "holds"  # both bins together are six


def test_equal_sets_are_no_difference():
    same = judged(paragraphs(dict.fromkeys(FALLING, [2, 2, 2, 2]), noise=0))
    assert (same.loc[[SIZES, LOWER, LEAN, SMOOTH, SMOOTH_LEAN], "verdict"] == "does not hold").all()


def test_what_is_missing_is_not_judged():
    without = paragraphs({name: FALLING[name] for name in ("memorized", "non_memorized")})
    assert (judged(without).loc[[SMOOTH, SMOOTH_LEAN], "verdict"] == "not applicable").all()
    one_layer = judged(paragraphs({name: sizes[:1] for name, sizes in FALLING.items()}))
    assert (one_layer.loc[[LOWER, LEAN, SMOOTH_LEAN], "verdict"] == "not applicable").all()
    one_part = samples({})
    assert judged(found=one_part[one_part["sample"] == "part"]).loc[LEADS, "verdict"] == "not applicable"


LEADS, PUBLISHED = "one_value_matrix_leads", "published_value_matrix_leads"
BOTH = {("memorized", "W_V", 1, 2): 4.0, ("contrastive", "W_V", 1, 2): 3.0}


def test_one_value_matrix_leads_in_both_objectives():
    found = judged(found=samples(BOTH, noise=0.1)).loc[LEADS]
    assert found["verdict"] == "holds" and found["n"] == 10
    assert found["value"] == pytest.approx(np.log(3), abs=0.2)
    assert judged(found=samples(BOTH), about=GPT_NEO).loc[PUBLISHED, "verdict"] == "holds"
    assert judged(found=samples(BOTH)).loc[PUBLISHED, "verdict"] == "not applicable"


@pytest.mark.parametrize(
    "leads",
    [
        {("memorized", "W_V", 1, 2): 4.0},  # not in the other objective
        BOTH | {("contrastive", "W_V", 1, 2): 1.0, ("contrastive", "W_V", 0, 1): 3.0},  # another head there
        BOTH | {("memorized", "W_Q", 0, 0): 8.0},  # another component is larger
    ],
)
def test_a_lead_in_one_objective_or_behind_another_matrix_is_none(leads):
    assert judged(found=samples(leads, noise=0.1)).loc[LEADS, "verdict"] != "holds"


def test_the_leading_matrix_is_not_found_on_what_judges_it():
    """Noise alone: the largest of a part leads there, but not where it was not looked for."""
    rates = []
    for seed in range(8):
        noise = samples({})
        noise["max_abs"] = np.exp(np.random.default_rng(seed).normal(size=len(noise)))
        rates.append(judged(found=noise).loc[LEADS, "verdict"] == "holds")
    assert not any(rates)


def test_the_rival_is_found_outside_of_the_part_and_every_other_matrix_bounds_the_lead():
    """Outside of parts the rival is one of size 4, which has 1 in every part, where another one has 2."""
    found = samples({(group, "W_V", 1, 2): 8.0 for group in ("memorized", "contrastive")})
    first = (found["component"] == "W_Q") & (found["layer"] == 0)
    found.loc[first & (found["sample"] == "rest") & (found["head"] == 0), "max_abs"] = 4.0
    found.loc[first & (found["sample"] == "part") & (found["head"] == 1), "max_abs"] = 2.0
    row = judged(found=found).loc[LEADS]
    assert (row["value"], row["low"]) == pytest.approx((np.log(8), np.log(4)))


def test_a_published_head_is_not_looked_for():
    other = {("memorized", "W_V", 0, 1): 4.0, ("contrastive", "W_V", 0, 1): 3.0}
    found = judged(found=samples(other, noise=0.1), about=GPT_NEO)
    assert found.loc[LEADS, "verdict"] == "holds" and found.loc[PUBLISHED, "verdict"] == "does not hold"


@pytest.mark.parametrize("n", [1, 2, 5])
def test_few_parts_decide_nothing(n):
    found = judged(found=samples(BOTH, n_parts=n), about=GPT_NEO).loc[[LEADS, PUBLISHED]]
    assert set(found["verdict"]) == {"undecided"} and set(found["n"]) == {n}


def test_of_equal_matrices_none_leads():
    found = judged(found=samples({}), about=GPT_NEO).loc[[LEADS, PUBLISHED]]
    assert set(found["verdict"]) == {"does not hold"} and set(found["value"]) == {0}
