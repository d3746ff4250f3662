"""Strata, folds and controls on made features whose worth is known."""

import numpy as np
import pandas as pd
import pytest
import sklearn
from scipy.optimize import minimize
from scipy.sparse import csr_array
from scipy.special import expit
from sklearn.metrics import roc_auc_score

from memloc.detection import study
from memloc.detection.classifiers import PENALTIES, Parts, best_penalty, logits
from memloc.detection.groups import folds
from memloc.detection.study import boundary_zone, detection, parts_of_fold, scored, shuffled_aurocs, strata
from memloc.run.seeds import generator
from memloc.tables.columns import Lengths
from memloc.tables.schemas import schema_of
from memloc.tables.validation import validate

N = 450


@pytest.fixture(scope="module")
def rows():
    """Recited above some 16 occurrences; a third occurs once and a sixth is unseen."""
    random = np.random.default_rng(0)
    exposure = np.where(np.arange(N) < 250, np.exp(random.uniform(1.4, 4.8, N)).astype(int), 1)
    unseen = np.arange(N) >= 380
    exposure[unseen] = 0
    chance = 1 / (1 + np.exp(-4 * (np.log(np.maximum(exposure, 1)) - np.log(16))))
    recited = (random.random(N) < chance) & ~unseen
    group = np.unique(random.integers(0, 225, N), return_inverse=True)[1]
    frame = {"exposure": exposure, "unseen": unseen, "recited": recited, "group": group}
    return pd.DataFrame(frame).assign(fold=folds(recited, group, seed=1))


@pytest.fixture(scope="module")
def sets(rows):
    random = np.random.default_rng(1)
    nll = (-rows["exposure"].to_numpy() / 20 + random.normal(size=N))[:, None]
    noise = random.normal(size=(N, 6))
    hint = noise + 1.5 * rows["recited"].to_numpy()[:, None] * (np.arange(6) == 3)
    named = {
        "nll": nll,
        "noise": noise,
        "hint": hint,
        "answer": rows["recited"].to_numpy(float)[:, None],
        "nll_and_activations": np.concatenate([nll, hint], axis=1),
        "exposure": np.log1p(rows["exposure"].to_numpy(float))[:, None],
        "bag_of_words": csr_array(random.poisson(0.2, (N, 50)).astype(float)),
    }
    return {6: {name: named[name] for name in ("nll", "nll_and_activations")}, 12: named}


@pytest.fixture(scope="module")
def found(rows, sets):
    with sklearn.config_context(assume_finite=True, skip_parameter_validation=True):
        return detection(rows, sets, 20, seed=0)


def row(found, features, stratum, n_seen=12):
    chosen = found[(found.features == features) & (found.stratum == stratum) & (found.n_seen == n_seen)]
    return chosen.iloc[0]


def test_the_table_is_valid_and_complete(found, sets):
    validate(schema_of("detection"), found, Lengths(24, 12))
    kinds = sum(map(len, sets.values())) + 1
    assert found.groupby("stratum").size().to_dict() == dict.fromkeys(("all", "boundary", "unseen"), kinds)


def test_what_is_known_is_found(found):
    for name, stratum in (("answer", "all"), ("answer", "boundary"), ("exposure", "unseen")):
        assert row(found, name, stratum).auroc == pytest.approx(1)
    for stratum in ("all", "boundary"):
        for name in ("noise", "bag_of_words"):
            blind = row(found, name, stratum)
            assert blind.auroc_low < 0.55 and blind.auroc_high > 0.45
        assert row(found, "hint", stratum).auroc_low > 0.6
    assert row(found, "exposure", "all").auroc > row(found, "exposure", "boundary").auroc


def test_counts_are_those_of_what_is_judged(found, rows):
    groups, counts = rows["group"].to_numpy(), ["n_positive", "n_negative", "n_clusters"]
    for stratum in strata(rows):
        positive, n_groups = stratum.positive[stratum.judged], len(np.unique(groups[stratum.judged]))
        n_others = int((~positive).sum())
        expected = [int(positive.sum()), n_others, n_groups]
        given = row(found, "nll", stratum.name)[counts].astype(float).tolist()
        assert given == expected


def test_aurocs_are_those_of_the_scores_of_all_folds(found, rows, sets):
    for stratum in strata(rows):
        positive, scores = stratum.positive[stratum.judged], scored("nll", sets[12]["nll"], stratum)
        own = row(found, "nll", stratum.name)
        areas = [roc_auc_score(positive[fold], scores[fold]) for fold in stratum.folds]
        pairs = [positive[fold].sum() * (~positive[fold]).sum() for fold in stratum.folds]
        assert own.auroc == pytest.approx(np.average(areas, weights=pairs))


def test_a_gain_is_paired_with_the_nll_of_the_same_tokens(found):
    for n_seen in (6, 12):
        both = row(found, "nll_and_activations", "boundary", n_seen)
        alone = row(found, "nll", "boundary", n_seen)
        assert both.gain == pytest.approx(both.auroc - alone.auroc) and np.isnan(alone.gain)
        assert both.gain_low > 0, "the hint is strong"
        width = both.auroc_high - both.auroc_low + alone.auroc_high - alone.auroc_low
        assert both.gain_high - both.gain_low < width
    noise = row(found, "noise", "boundary")
    assert noise.gain_high < 0


def test_shuffled_labels_average_one_half(found):
    for stratum in ("all", "boundary", "unseen"):
        shuffled = row(found, "shuffled_labels", stratum)
        assert shuffled.auroc == pytest.approx(0.5, abs=0.04)
        assert shuffled.auroc_low < 0.5 < shuffled.auroc_high


def test_labels_are_shuffled_by_the_stratums_stream_for_the_whole_prefix(rows, sets, monkeypatch):
    asked = {}

    def spy(features, stratum, n_shuffles, random):
        asked[stratum.name] = features, random.random()
        return [0.25] * n_shuffles

    monkeypatch.setattr(study, "shuffled_aurocs", spy)
    monkeypatch.setattr(study, "scored", lambda _name, _features, stratum: np.zeros(len(stratum.judged)))
    shorter = {name: values + 1 for name, values in sets[6].items()}
    found = detection(rows, {6: shorter, 12: sets[12]}, 7, seed=3)
    assert row(found, "shuffled_labels", "boundary").auroc == pytest.approx(0.25) and len(asked) == 3
    for name, (features, drawn) in asked.items():
        assert features is sets[12]["nll_and_activations"]
        assert drawn == generator(3, "detection", "shuffled_labels", name).random()


def test_labels_are_shuffled_within_a_stratum(rows, monkeypatch):
    seen = []

    def spy(_name, _features, shuffled):
        seen.append(shuffled.positive)
        return np.zeros(len(shuffled.judged))

    monkeypatch.setattr(study, "scored", spy)
    for stratum in strata(rows):
        seen.clear()
        within = np.isin(np.arange(N), np.concatenate([part.fitted for part in stratum.parts]))
        list(shuffled_aurocs(np.zeros((N, 1)), stratum, 3, np.random.default_rng(0)))
        for positive in seen:
            assert np.array_equal(positive[~within], stratum.positive[~within])
            assert positive[within].sum() == stratum.positive[within].sum()
            assert not np.array_equal(positive, stratum.positive)


def test_the_boundary_zone_is_where_exposure_leaves_it_open(rows):
    fitted = (~rows.unseen & (rows.fold != 0)).to_numpy()
    zone = boundary_zone(rows.exposure.to_numpy(), rows.recited.to_numpy(), fitted)
    inside = rows.exposure[zone & ~rows.unseen]
    assert 4 < inside.min() < 12 < 20 < inside.max() < 60
    assert not zone[rows.exposure == 1].any()
    logs = np.log(rows.exposure.clip(lower=1))
    signs = np.where(rows.recited, 1, -1)
    a, b = minimize(lambda ab: np.logaddexp(0, -(ab[0] + ab[1] * logs) * signs)[fitted].sum(), [0, 1]).x
    chance = expit(a + b * logs)
    near = (abs(chance - 0.05) < 1e-3) | (abs(chance - 0.95) < 1e-3)
    assert (zone == chance.between(0.05, 0.95))[~near].all() and near.mean() < 0.1
    changed = rows.recited.to_numpy() ^ ~fitted
    assert np.array_equal(zone, boundary_zone(rows.exposure.to_numpy(), changed, fitted)), "fitted alone"


def test_strata_hold_what_they_say(rows):
    by_name = {stratum.name: stratum for stratum in strata(rows)}
    everything, boundary, unseen = (rows.iloc[by_name[name].judged] for name in ("all", "boundary", "unseen"))
    assert not everything.unseen.any() and len(everything) == 380
    assert not boundary.unseen.any() and boundary.exposure.min() > 3
    assert not unseen.recited.any() and unseen.unseen.sum() == 70
    for stratum in by_name.values():
        for part in stratum.parts:
            assert not set(rows.fold.iloc[part.fitted]) & set(rows.fold.iloc[part.judged])


def test_a_fold_without_rows_of_a_stratum_judges_none(rows):
    """All of the last fold occurs once: none of it is in the boundary zone."""
    last = rows.fold == 4
    once = rows.assign(exposure=rows.exposure.mask(last & ~rows.unseen, 1), recited=rows.recited & ~last)
    by_name = {stratum.name: stratum for stratum in strata(once)}
    expected = {"all": 5, "boundary": 4, "unseen": 5}
    assert {name: len(stratum.parts) for name, stratum in by_name.items()} == expected
    assert all(len(part.judged) for stratum in by_name.values() for part in stratum.parts)


@pytest.mark.parametrize(("n_groups", "names"), [(5, ["unseen"]), (6, ["all", "unseen"])])
def test_six_groups_of_a_kind_are_a_stratum_and_five_are_none(n_groups, names):
    """A hundred recited paragraphs are in so few groups; of exposures, none leaves it open."""
    n = np.arange(300)
    frame = {"exposure": np.where(n < 100, 9, 1), "unseen": n >= 200, "recited": n < 100}
    groups = np.where(n < 100, n % n_groups, n)
    found = strata(pd.DataFrame(frame).assign(group=groups, fold=groups % 3))
    assert [stratum.name for stratum in found] == names


def test_halves_of_the_fitted_rows_are_every_other_fold():
    """Whatever their numbers are."""
    fold = np.repeat([0, 2, 4, 6], 3)
    parts = parts_of_fold(np.ones(12, bool), fold, 6, positive=np.arange(12) % 3 == 0)
    assert parts.fitted.tolist() == list(range(9))
    assert parts.second.tolist() == [False] * 3 + [True] * 3 + [False] * 3


def test_too_few_of_a_kind_are_no_stratum(rows):
    few = rows.assign(recited=rows.recited & (rows.index < 8), unseen=False)
    assert [stratum.name for stratum in strata(few)] == []
    assert validate(schema_of("detection"), detection(few, {}, 1, 0), Lengths(24, 12)).empty


@pytest.mark.parametrize("n_features", [1, 2])
def test_answers_are_those_of_a_plain_fit(n_features):
    """By scikit-learn itself, without a choice of penalties for one feature; judged rows change nothing."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    random = np.random.default_rng(0)
    positive, features = random.random(90) < 0.4, random.normal(10, 5, (90, n_features))
    features[:, 0] += 5 * positive
    parts = Parts(np.arange(60), np.arange(60) < 30, np.arange(60, 90))
    scaled = StandardScaler().fit(features[:60]).transform(features)
    penalty = 1 if n_features == 1 else best_penalty(scaled[:60], positive[:60], parts.second)
    plain = LogisticRegression(C=penalty).fit(scaled[:60], positive[:60])
    found = logits(features, positive, parts)
    np.testing.assert_allclose(found, plain.decision_function(scaled[60:]), rtol=1e-3, atol=1e-5)


def test_the_first_features_may_be_free_of_the_penalty():
    """Among noise that is penalised, the NLL moves the log odds as in a fit of the NLL alone."""
    random, n = np.random.default_rng(0), 200
    nll = random.normal(size=(n, 1))
    positive = random.random(n) < 1 / (1 + np.exp(-2 * nll[:, 0]))
    features = np.concatenate([nll, random.normal(size=(n, 100))], axis=1)
    everything = Parts(np.arange(n), np.arange(n) % 2 == 0, np.arange(n))

    def slope(features, n_free=0):
        return np.polyfit(nll[:, 0], logits(features, positive, everything, n_free), 1)[0]

    assert slope(features, 1) == pytest.approx(slope(nll), rel=0.1)
    assert slope(features) < 0.5 * slope(nll)


def test_words_are_scaled_by_their_largest_number():
    from sklearn.linear_model import LogisticRegression

    random = np.random.default_rng(0)
    positive = random.random(200) < 0.4
    words = random.poisson(1 + positive[:, None] * [4, 0, 0])
    parts = Parts(np.arange(100), np.arange(100) < 50, np.arange(100, 200))
    scaled = words / words[:100].max(axis=0)
    penalty = best_penalty(csr_array(scaled[:100]), positive[:100], parts.second)
    plain = LogisticRegression(C=penalty, solver="liblinear").fit(scaled[:100], positive[:100])
    found = logits(csr_array(words.astype(float)), positive, parts)
    np.testing.assert_allclose(found, plain.decision_function(scaled[100:]), rtol=1e-3, atol=1e-5)


def test_the_penalty_is_strong_for_noise_and_weak_for_an_answer():
    random, second = np.random.default_rng(0), np.arange(200) % 2 == 0
    labels = random.random(200) < 0.5
    noise = random.normal(size=(200, 50))
    assert best_penalty(noise, labels, second) == PENALTIES[0]
    assert best_penalty(noise + 4 * labels[:, None], labels, second) == PENALTIES[-1]
    for one in (0, 1):  # in either half
        one_sided = np.arange(200) == one
        assert best_penalty(noise + 4 * labels[:, None], one_sided, second) == PENALTIES[0]


@pytest.mark.parametrize("recited", [True, False])
def test_no_exposure_leaves_it_open_where_all_or_none_are_recited(recited):
    zone = boundary_zone(np.array([1, 4, 9, 30]), np.full(4, recited), np.array([True, True, True, False]))
    assert zone.tolist() == [False] * 4
