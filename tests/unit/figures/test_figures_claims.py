"""Verdicts over several runs, on claims that are made up."""

import pandas as pd
import pytest
from drawn import assert_as_stored
from figure_labels import checked

from memloc.figures.claims_by_run import DIFFER, by_claim, draw
from memloc.tables.terms.claims import VERDICTS

HOLDS, FAILS, SAME, OPEN, NOT_APPLICABLE, ERROR = VERDICTS
VERDICTS_BY_SEED = {
    "always": [HOLDS, HOLDS, HOLDS],
    "never": [FAILS, FAILS, FAILS],
    "wavers": [HOLDS, OPEN, HOLDS],
    "contradicts": [HOLDS, FAILS, OPEN],
    "nowhere": [NOT_APPLICABLE] * 3,
    "sometimes": [HOLDS, NOT_APPLICABLE, HOLDS],
}
MANY = {f"claim_{number}": [HOLDS] * 3 for number in range(45)}


def runs(verdicts, **same):
    """Claims by name with a verdict per seed; the value is the seed."""
    said = {"topic": "editing", "statement": "So it is.", "rule": "at least", "bound": 0.0}
    said |= {"matters": 0.25, "scale": "nats", **same}
    rows = [(seed, id, found[seed], float(seed)) for seed in range(3) for id, found in verdicts.items()]
    return pd.DataFrame(rows, columns=["seed", "id", "verdict", "value"]).assign(**said)


def test_a_claim_survives_if_every_run_to_which_it_applies_says_the_same():
    data = by_claim(runs(VERDICTS_BY_SEED), "seed").set_index("id")
    assert data["verdict"].to_list() == [HOLDS, FAILS, DIFFER, DIFFER, NOT_APPLICABLE, HOLDS]
    assert data["n_runs"].to_list() == [3, 3, 3, 3, 0, 2]


def test_shares_are_told_in_the_unit_of_what_is_wanted():
    shares = runs({"always": [HOLDS] * 3}, scale="%", rule="greater", bound=0.5, matters=0.1)
    (told,) = by_claim(shares.assign(value=shares["value"] / 4), "seed").itertuples()
    assert told.wanted == "> 60 %"
    assert (told.lowest, told.highest, told.deviation) == pytest.approx((0, 50, 25))


@pytest.mark.parametrize("verdicts", [VERDICTS_BY_SEED, MANY])
@pytest.mark.parametrize(
    ("run", "title"), [("seed", "that apply to 3 seeds"), ("model", "that apply to 3 models")]
)
def test_few_and_many_claims_are_readable(verdicts, run, title):
    tables = {"claims": runs(verdicts).rename(columns={"seed": run}), f"{run}s": None}
    drawing = draw(tables, {}, "a, b")
    text, n_differ = checked("claims_by_run", drawing), drawing.numbers["counts"][DIFFER]
    assert title in text and f"and {n_differ} differ between {run}s" in text
    assert "Model: a, b." in drawing.page and f"{HOLDS}: all" in drawing.page


def test_it_is_drawn_as_stored():
    assert_as_stored("claims_by_run", draw({"claims": runs(VERDICTS_BY_SEED)}, {}))
