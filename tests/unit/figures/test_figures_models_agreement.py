"""Agreement of methods and of layer profiles between models, from numbers that say what is right."""

from itertools import permutations

import numpy as np
import pandas as pd
import pytest

from memloc.figures import models_agreement


def test_pairs_of_methods_agree_contradict_are_mixed_or_nothing():
    """Of two models; 1 and -1 are beyond chance, 2 and -2 are not."""
    signs = {"agree": (1, 1), "contradict": (-1, -1), "mixed": (1, -1), "half": (1, 2), "nothing": (-2, -2)}
    rows = [
        (pair, model, value / 4, 0.01 if abs(value) == 1 else 0.5)
        for pair, values in signs.items()
        for model, value in zip("ab", values, strict=True)
    ]
    pairs = pd.DataFrame(rows, columns=["pair", "model", "value", "p_value"])
    layers = pd.DataFrame({"method": ["x", "x"], "value": [0.2, 0.4], "p_value": [0.01, 0.5]})
    layers["n_layers"] = models_agreement.FEWEST_DECIDED
    numbers = models_agreement._numbers(pairs, layers, pd.DataFrame({"model": ["a", "b"]}))
    assert (numbers["agree"], numbers["contradict"]) == (["agree"], ["contradict"])
    assert (numbers["n_mixed"], numbers["n_nowhere"], numbers["n_pairs"]) == (1, 1, 5)
    assert (numbers["strongest"], numbers["strongest_mean"]) == ("half", 0.375)
    assert (numbers["n_profiles_short"], numbers["methods"]) == (0, {"x": pytest.approx(0.3)})


def test_p_of_exactly_the_level_decides_nothing_and_no_correlation_has_no_mean():
    rows = [("pair", model, 0.5, models_agreement.SIGNIFICANCE) for model in "ab"]
    pairs = pd.DataFrame(rows, columns=["pair", "model", "value", "p_value"])
    layers = pd.DataFrame({"method": ["x", "y"], "value": [0.2, np.nan], "p_value": [0.05, np.nan]})
    numbers = models_agreement._numbers(pairs, layers.assign(n_layers=9), pd.DataFrame({"model": ["a", "b"]}))
    assert (numbers["agree"], numbers["n_nowhere"], numbers["n_profiles_decided"]) == ([], 1, 0)
    assert numbers["methods"] == {"x": 0.2}


def profile(strength):
    n = len(strength)
    return pd.DataFrame({"depth": (np.arange(n) + 0.5) / n, "strength": strength})


def test_profiles_correlate_where_the_shallower_model_has_its_layers():
    shallow, deep = [0.1, 0.5, 0.4, 0.9, 0.2], [0.0, 0.1, 0.2, 0.7, 0.8, 0.5, 0.6, 0.9, 0.4, 0.3]
    read = [
        (deep[2 * i] + deep[2 * i + 1]) / 2 for i in range(5)
    ]  # its layers lie between two of the deep ones
    expected = np.corrcoef(shallow, read)[0, 1]
    orders = [np.corrcoef(order, read)[0, 1] for order in permutations(shallow)]
    as_large = np.mean([value >= expected - 1e-12 for value in orders])
    for first, second in ((shallow, deep), (deep, shallow)):
        value, p_value, n_layers = models_agreement.profile_correlation(profile(first), profile(second))
        assert (value, p_value, n_layers) == (pytest.approx(expected), pytest.approx(2 * as_large), 5)


@pytest.mark.parametrize("shallow", [[0.3], [0.2, 0.8], [0.5, 0.5, 0.5]])
def test_profiles_that_cannot_correlate_have_no_correlation(shallow):
    deep = profile([0.1, 0.4, 0.2, 0.9])
    assert np.isnan(models_agreement.profile_correlation(profile(shallow), deep)[:2]).all()


def test_so_few_layers_decide_nothing():
    few = profile(np.arange(models_agreement.FEWEST_DECIDED - 1.0))
    enough = profile(np.arange(models_agreement.FEWEST_DECIDED + 0.0))
    assert models_agreement.profile_correlation(few, few)[1] >= models_agreement.SIGNIFICANCE
    assert models_agreement.profile_correlation(enough, enough)[1] < models_agreement.SIGNIFICANCE
