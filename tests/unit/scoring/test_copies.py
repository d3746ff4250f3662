"""What near-copies are worth: planted worths are found, and too few near-copies are refused."""

import numpy as np
import pandas as pd
import pytest
import scipy
from made_tables import frame_of

from memloc.scoring import copies as module
from memloc.scoring.copies import by_kind, worth
from memloc.tables.terms.near_copies import NESTED

WORTHS = {"within_1": 0.9, "within_10": 0.5, "within_50": 0.0}


@pytest.fixture
def quick(monkeypatch):
    """Few resamples, where intervals do not matter."""
    monkeypatch.setattr(module, "N_RESAMPLES", 5)


def planted(n, seed=0):
    """Rows of `near_copies`, and which of them are recited by paragraphs' exact copies and `WORTHS`."""
    rng = np.random.default_rng(seed)
    own = {name: rng.poisson(4, n) * rng.integers(2, size=n) for name in WORTHS}
    exact = rng.integers(1, 8, n)
    within = {"within_0": exact} | {name: exact.copy() for name in NESTED[1:]}
    for name in WORTHS:
        for larger in list(within)[list(within).index(name) :]:
            within[larger] = within[larger] + own[name]
    rows = frame_of("near_copies", **within)
    amount = exact + sum(WORTHS[name] * own[name] for name in WORTHS)
    chance = scipy.special.expit(-8 + 5 * np.log(amount))
    return rows, pd.Series(rng.random(n) < chance), pd.Series(rng.integers(40, size=n)), chance


def test_planted_worths_are_found():
    copies, recited, group, chance = planted(1_000)
    found = worth(copies, recited, group)
    table = found[1].set_index("copies")
    for name, value in WORTHS.items():
        found_value, low, high = table.loc[name, ["worth", "low", "high"]]
        assert low <= found_value <= high and high - low < 0.5, name
        assert abs(found_value - value) < (high - low) * 0.75, name
    assert table.loc["within_5", "n_paragraphs"] == 0 and np.isnan(table.loc["within_5", "worth"])
    assert np.abs(found[0] - chance).mean() < 0.03


def test_copies_of_no_effect_are_worth_nothing_and_the_fit_is_that_of_plain_search(quick):
    copies, recited, group, _ = planted(250, seed=1)
    found = worth(copies, recited, group)[1].set_index("copies")["worth"].dropna()
    kinds, exact = by_kind(copies)[found.index].to_numpy(float), copies["within_0"].to_numpy(float)

    def loss(values):
        logit = values[0] + values[1] * np.log(exact + kinds @ np.abs(values[2:]))
        return np.where(recited, np.logaddexp(0, -logit), np.logaddexp(0, logit)).sum()

    first = [-3, 1] + [0.5] * len(found)
    most = {"maxiter": 20_000, "maxfev": 20_000}
    plain = scipy.optimize.minimize(loss, first, method="Nelder-Mead", options=most)
    assert found.to_numpy() == pytest.approx(np.abs(plain.x[2:]), abs=0.02)


def test_too_few_near_copies_files_or_outcomes_are_refused(quick):
    copies, recited, group, _ = planted(150, seed=2)
    few = copies.assign(within_50=copies["within_20"] + np.where(np.arange(150) < 19, 3, 0))
    table = worth(few, recited, group)[1].set_index("copies")
    assert table["worth"].isna()["within_50"] and table["worth"].notna()["within_1"]
    assert worth(copies, recited, group % 5)[1]["worth"].isna().all()
    always = recited | (by_kind(copies)["within_1"] > 0)
    table = worth(copies, always, group)[1].set_index("copies")["worth"]
    assert table.isna()["within_1"] and table.notna()["within_10"]
    for outcome in (True, False):
        found = worth(copies, recited | True if outcome else recited & False, group)
        assert found[1]["worth"].isna().all() and found[0].isna().all()


def test_paragraphs_that_the_text_does_not_hold_have_no_part(quick):
    copies, recited, group, _ = planted(150, seed=3)
    more = pd.concat([copies, copies.assign(within_0=0)], ignore_index=True)
    outcome, twice = pd.concat([recited, ~recited]), pd.concat([group, group])
    found = worth(more, outcome.reset_index(drop=True), twice.reset_index(drop=True))
    pd.testing.assert_frame_equal(found[1], worth(copies, recited, group)[1])
    assert found[0][150:].isna().all()
