"""The figure over seeds, and verdicts over several runs, on claims that are made up."""

import pandas as pd
import pytest
from drawn import assert_as_stored
from figure_labels import checked
from made_rankings import ranked_with_samples

from memloc.figures import stability
from memloc.figures.parts import verdict_marks
from memloc.tables.terms.claims import VERDICTS

HOLDS, FAILS, SAME, OPEN, NOT_APPLICABLE, ERROR = VERDICTS
DIFFER = verdict_marks.DIFFER
VERDICTS_BY_SEED = {
    "always": [HOLDS, HOLDS, HOLDS],
    "never": [FAILS, FAILS, FAILS],
    "wavers": [HOLDS, OPEN, HOLDS],
    "contradicts": [HOLDS, FAILS, OPEN],
    "nowhere": [NOT_APPLICABLE] * 3,
    "sometimes": [HOLDS, NOT_APPLICABLE, HOLDS],
}


def runs(verdicts):
    """Claims by name with a verdict per seed; the value is the seed."""
    rows = [
        {"seed": seed, "id": name, "topic": "editing", "statement": "So it is.", "value": float(seed)}
        | {"verdict": found[seed], "rule": "equal within", "bound": 0.0}
        | {"matters": 0.25, "scale": "nats"}
        for seed in range(3)
        for name, found in verdicts.items()
    ]
    return pd.DataFrame(rows)


def test_a_claim_survives_if_every_run_to_which_it_applies_says_the_same():
    spread = verdict_marks.survival(runs(VERDICTS_BY_SEED), "seed").set_index("id")
    expected = [HOLDS, FAILS, DIFFER, DIFFER, NOT_APPLICABLE, HOLDS]
    assert spread["verdict"].to_list() == expected
    assert spread["n_runs"].to_list() == [3, 3, 3, 3, 0, 2]
    assert spread.loc["contradicts", [HOLDS, FAILS, OPEN]].to_list() == [1, 1, 1]
    assert spread.loc["always", ["lowest", "highest", "deviation"]].to_list() == [0, 2, 1]
    assert spread.loc["sometimes", ["lowest", "highest"]].to_list() == [0, 2]
    numbers = verdict_marks.survival_numbers(spread.reset_index(), 3)
    assert numbers["counts"] == {HOLDS: 2, FAILS: 1, SAME: 0, OPEN: 0, NOT_APPLICABLE: 1, ERROR: 0, DIFFER: 2}
    assert (numbers["n_applied"], numbers["contradicted"]) == (5, 1)


def test_shares_are_told_in_the_unit_of_what_is_wanted():
    shares = runs({"always": [HOLDS] * 3}).assign(scale="%", rule="greater", bound=0.5, matters=0.1)
    (told,) = verdict_marks.survival(shares.assign(value=shares["value"] / 4), "seed").itertuples()
    assert told.wanted == "> 60 %"
    assert (told.lowest, told.highest, told.deviation) == pytest.approx((0, 50, 25))


def test_methods_are_counted_by_whether_all_seeds_have_the_same_first_head():
    """patching has head 1 first in two of three seeds, combined head 0 in all, rare_tokens three heads."""
    firsts = {"patching": [0, 1, 1], "combined": [0, 0, 0], "rare_tokens": [2, 0, 1]}
    rows = [
        (method, seed, 0, head, 1 + (head - first) % 3)
        for method, by_seed in firsts.items()
        for seed, first in enumerate(by_seed)
        for head in range(3)
    ]
    ranking = pd.DataFrame(rows, columns=["method", "seed", "layer", "head", "rank"])
    numbers = stability._numbers(stability.first_ranks(ranking), 3)
    assert numbers == {"n_same": 1, "n_methods": 3}


def drawn(verdicts):
    ranking = pd.concat([ranked_with_samples(3, 4, seed)[0].assign(seed=seed) for seed in range(3)])
    frames = {"claims": runs(verdicts), "head_ranking": ranking.reset_index(drop=True)}
    return stability.draw(frames, {})


@pytest.mark.parametrize("verdicts", [VERDICTS_BY_SEED, {f"claim_{i}": [HOLDS] * 3 for i in range(45)}])
def test_labels_of_few_and_many_claims_are_readable(verdicts):
    drawing = drawn(verdicts)
    text, n_differ = checked("stability", drawing), drawing.numbers["counts"][DIFFER]
    assert "drawn anew with 3 seeds" in text and f"and {n_differ} differ between seeds" in text


def test_it_is_drawn_as_stored():
    assert_as_stored("stability", drawn(VERDICTS_BY_SEED))
