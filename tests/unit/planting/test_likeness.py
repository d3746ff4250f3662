"""Classifiers of profiles on made-up numbers: what is alike is taken for alike."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from memloc.planting.likeness import NUMBERS, best_penalty, differences, log_odds, told_apart


def profiles(**shifts):
    """20 paragraphs a kind: noise, plus a shift of two numbers."""
    random, frames = np.random.default_rng(0), []
    for kind, shift in shifts.items():
        values = random.normal(size=(20, len(NUMBERS))) + np.array([shift, shift, *[0] * (len(NUMBERS) - 2)])
        frames.append(pd.DataFrame(values, columns=NUMBERS).assign(kind=kind))
    return pd.concat(frames, ignore_index=True)


def test_log_odds_are_those_of_a_fit_without_the_paragraph():
    """Of other kinds, by the fit to all natural ones and none."""
    rows = profiles(natural=2, none=-2, neurons=2).sample(frac=1, random_state=1, ignore_index=True)
    found, known = log_odds(rows, 0.1), rows["kind"].isin(["natural", "none"])
    for place in range(0, len(rows), 4):
        fitted = rows[known & (rows.index != place)]
        mean, spread = fitted[[*NUMBERS]].mean(), fitted[[*NUMBERS]].std(ddof=0)
        fit = LogisticRegression(C=0.1, max_iter=1000)
        fit.fit(((fitted[[*NUMBERS]] - mean) / spread).to_numpy(), fitted["kind"] == "natural")
        own = ((rows.loc[[place], [*NUMBERS]] - mean) / spread).to_numpy()
        assert found[place] == pytest.approx(float(fit.decision_function(own)[0]), rel=1e-3, abs=1e-4)
    assert (found[rows["kind"] == "neurons"] > 0).mean() > 0.8
    right = np.where(rows["kind"] == "none", -1.0, 1.0) * np.where(known, 1, -100)
    assert best_penalty(rows, {1.0: -right, 2.0: right, 3.0: 0 * right}) == 2.0, "others do not count"


def test_what_is_alike_is_not_told_apart_and_what_differs_is():
    rows = profiles(natural=0, grown_heads=0, neurons=3)
    alike, apart = (told_apart(rows, rows["kind"] == kind) for kind in ("grown_heads", "neurons"))
    assert alike.low < 0.5 < alike.high and apart.low > 0.8
    few = rows[(rows["kind"] == "natural") | (rows.index >= 55)]
    assert told_apart(few, few["kind"] == "neurons") is None, "five are too few"
    far = profiles(natural=0, grown_heads=0, neurons=300)
    assert told_apart(far, far["kind"] == "neurons")[:3] == (1, -np.inf, np.inf), "no variance, no evidence"
    found = differences(rows, rows["kind"] == "neurons")
    assert [*found.index[found["p"] < 0.05]] == [*NUMBERS[:2]]
    for column, kind in (("others", "neurons"), ("natural", "natural")):
        assert found.loc["nll", column] == rows.loc[rows["kind"] == kind, "nll"].median()
