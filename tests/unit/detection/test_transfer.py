"""What is handed on from one model to another, on made features whose worth is known."""

import numpy as np
import pandas as pd
import pytest
import sklearn
from scipy.sparse import csr_array

from memloc.detection.classifiers import logits
from memloc.detection.feature_sets import bag_of_words
from memloc.detection.groups import folds
from memloc.detection.study import detection, rows_of_strata, strata
from memloc.detection.transfer import LIKELIHOODS, Measured, comparable, fitted_to_other, transfer
from memloc.tables.schema import Lengths
from memloc.tables.schemas.detection import DETECTION_TRANSFER
from memloc.tables.validation import validate

N, SEEN = 300, 12
EXPOSURE = np.where(np.arange(N) < 200, 2 + np.arange(N) % 40, 1)
GROUP = np.random.default_rng(0).integers(0, 150, N)
TOKENS = np.random.default_rng(1).integers(0, 30, (N, 24))


def model(seed, recited_like=None, **sets):
    """A model that recites above some 20 occurrences, or what another one does, with folds of its own."""
    random = np.random.default_rng(seed)
    recited = random.random(N) < 1 / (1 + np.exp(-0.2 * (EXPOSURE - 20)))
    recited = recited if recited_like is None else recited_like.rows["recited"].to_numpy()
    rows = pd.DataFrame({"id": np.arange(N), "exposure": EXPOSURE, "unseen": False, "recited": recited})
    rows = rows.assign(group=GROUP, fold=folds(recited, GROUP, seed))
    return Measured(rows, TOKENS, {name: make(random, recited) for name, make in sets.items()})


def hint(random, recited, scale=1.0):
    """Three numbers, the second of which tells."""
    return scale * (random.normal(size=(N, 3)) + 4 * recited[:, None] * (np.arange(3) == 1))


def transferred(**models):
    with sklearn.config_context(assume_finite=True, skip_parameter_validation=True):
        found = transfer(models, SEEN)
    validate(DETECTION_TRANSFER, found, Lengths(24, SEEN))
    return found.set_index(["trained_on", "tested_on", "features", "stratum"]).sort_index()


def test_what_two_models_agree_on_is_handed_on_and_what_they_do_not_is_not():
    agrees = {"likelihoods": hint, "residual": hint}
    turned = {"likelihoods": hint, "residual": lambda *given: hint(*given)[:, [1, 0, 2]]}
    found = transferred(a=model(1, **agrees), b=model(2, **turned))
    for pair in (("a", "b"), ("b", "a")):
        known = found.loc[*pair, "likelihoods", "all"]
        assert known["auroc"] > 0.97 and abs(known["change"]) < 0.02
        assert known["change_low"] <= 0 <= known["change_high"]
        lost = found.loc[*pair, "residual", "all"]
        assert abs(lost["auroc"] - 0.5) < 0.1 and lost["change_high"] < -0.3
        own = found.loc[pair[1], pair[1], "residual", "all"]
        assert own["auroc"] > 0.97 and np.isnan(own["change"])
        assert lost["change"] == pytest.approx(lost["auroc"] - own["auroc"])
        assert (lost[["n_positive", "n_negative"]] == own[["n_positive", "n_negative"]]).all()


def test_one_number_keeps_its_auroc_and_loses_its_threshold():
    """On another scale, the same ranks."""
    number, larger = (lambda *given, s=s: s + hint(*given)[:, [1]] for s in (0, 30))
    found = transferred(a=model(1, nll=number), b=model(2, nll=larger))
    own, other = (found.loc[trained_on, "b", "nll", "all"] for trained_on in ("b", "a"))
    assert other["auroc"] == own["auroc"] > 0.9 and other["change"] == 0
    assert other["calibration_error"] > 0.4 > 0.1 > own["calibration_error"]


def test_rows_of_a_model_with_itself_are_those_of_its_own_table():
    one = model(1, nll=lambda *given: hint(*given)[:, [1]], likelihoods=hint)
    found = transferred(a=one, b=model(2, nll=lambda *given: hint(*given)[:, [1]], likelihoods=hint))
    own = detection(one.rows, {SEEN: one.sets | {"nll_and_activations": one.sets["nll"]}}, 1, seed=0)
    own = own.set_index(["features", "stratum"])
    same = found.loc["a", "a"]
    measured = ["auroc", "auroc_low", "auroc_high", "average_precision", "tpr", "calibration_error"]
    assert {stratum for _, stratum in same.index} == {"all", "boundary"}
    pd.testing.assert_frame_equal(same[measured], own.loc[same.index, measured])


def test_a_classifier_has_seen_no_group_that_it_judges():
    own, other = model(1), model(2)
    assert (own.rows["fold"] != other.rows["fold"]).any()
    for stratum in strata(own.rows):
        fitted = fitted_to_other(stratum, own, other)
        positive, within = rows_of_strata(other.rows.assign(fold=own.rows["fold"]))[stratum.name]
        assert np.array_equal(fitted.positive, np.concatenate([stratum.positive, positive]))
        for part, at_home in zip(fitted.parts, stratum.parts, strict=True):
            rows = part.fitted - N
            fold = own.rows["fold"].iloc[part.judged].unique().item()
            assert rows.min() >= 0 and np.array_equal(part.judged, at_home.judged)
            assert not set(GROUP[rows]) & set(GROUP[part.judged])
            assert np.array_equal(rows, np.flatnonzero(within(fold) & (own.rows["fold"] != fold)))


def test_a_leak_between_models_would_show_and_there_is_none():
    """Noise that is the same for both models, and the same labels: who has seen a paragraph knows all."""
    noise = np.random.default_rng(5).normal(size=(N, 600))
    own = model(1, residual=lambda *_: noise)
    other = model(2, recited_like=own, residual=lambda *_: noise)
    assert abs(transferred(a=own, b=other).loc["b", "a", "residual", "all"]["auroc"] - 0.5) < 0.15
    (stratum,) = [stratum for stratum in strata(own.rows) if stratum.name == "all"]
    part, everything = stratum.parts[0], np.arange(N)
    leaked = part._replace(fitted=everything, second=everything % 2 == 0)
    score, told = logits(noise, stratum.positive, leaked), stratum.positive[part.judged]
    assert (score[told][:, None] > score[~told]).mean() > 0.9


def test_folds_that_tear_a_group_are_an_error():
    torn = model(1, nll=lambda *given: hint(*given)[:, [1]])
    torn.rows["fold"] = np.arange(N) % 4
    with pytest.raises(AssertionError, match="groups in several folds"):
        transfer({"a": torn, "b": torn}, SEEN)


@pytest.mark.parametrize("changed", ["tokens", "ids", "labels", "few"])
def test_a_pair_that_cannot_be_compared_has_no_rows(changed):
    """A model that recites in five groups has no stratum, though each of its fits would have both labels."""
    own, other = model(1, likelihoods=hint), model(2, likelihoods=hint)
    if changed == "tokens":
        other = other._replace(tokens=TOKENS + (np.arange(N) == 7)[:, None])
    rows = {"ids": {"id": np.arange(N) + 1}, "labels": {"recited": False}}
    rows = (rows | {"few": {"recited": np.isin(GROUP, np.unique(GROUP)[:5])}}).get(changed, {})
    found = transferred(a=own, b=other._replace(rows=other.rows.assign(**rows))).reset_index()
    assert set(found["tested_on"]) == {"a"} | ({"b"} if changed in ("tokens", "ids") else set())
    assert (found["trained_on"] == found["tested_on"]).all() and len(found)


def named(n_heads, n_layers, width):
    random = np.random.default_rng(3)
    sets = {name: random.normal(size=(N, 1)) for name in LIKELIHOODS}
    sets |= {"attention": random.random((N, 2 * n_heads)), "gradients": random.random((N, 2 * n_layers))}
    sets |= {f"residual_{layer}": random.normal(size=(N, width)) for layer in (2, 11)}
    return sets | {"residual_untrained": sets["nll"], "bag_of_words": bag_of_words(TOKENS)}


def test_features_of_any_model_are_of_one_width_but_for_the_residual_stream():
    small, large = comparable(named(4, 2, 16)), comparable(named(12, 5, 32))
    widths = {name: (small[name].shape[1], large[name].shape[1]) for name in small}
    assert {name for name, (one, other) in widths.items() if one != other} == {"residual"}
    assert widths["likelihoods"][0] == 6 and widths["likelihoods_and_summaries"][0] == 18
    given = named(4, 2, 16)
    np.testing.assert_array_equal(small["residual"], given["residual_11"])
    summed = small["likelihoods_and_summaries"][:, 6:]
    entropy, norms = given["attention"][:, :4], given["gradients"][:, :2]
    np.testing.assert_allclose(summed[:, 0], entropy.mean(axis=1))
    np.testing.assert_allclose(summed[:, 5], given["attention"][:, 4:].max(axis=1))
    np.testing.assert_allclose(summed[:, 7], np.log(norms + 1e-12).min(axis=1))
    del given["gradients"]
    assert comparable(given)["likelihoods_and_summaries"].shape[1] == 12


def test_words_are_handed_on_and_residual_streams_of_other_widths_are_not():
    words = {"bag_of_words": lambda *_: csr_array(bag_of_words(TOKENS))}
    wide = model(2, residual=lambda random, recited: hint(random, recited)[:, :2], **words)
    found = transferred(a=model(1, residual=hint, **words), b=wide)
    assert ("a", "b", "bag_of_words", "all") in found.index
    assert ("a", "b", "residual", "all") not in found.index
