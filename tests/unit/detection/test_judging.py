"""AUROCs against pairs counted one by one; strata, folds and baselines on made features of known worth."""

import numpy as np
import pandas as pd
import pytest
from made_tables import unlike_tokens
from scipy.optimize import minimize
from scipy.sparse import csr_array
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.model_selection import GroupKFold
from sklearn.preprocessing import MaxAbsScaler, StandardScaler

from memloc.detection.classifiers import PENALTIES, scored
from memloc.detection.feature_sets import TOGETHER
from memloc.detection.groups import folds
from memloc.detection.judging import boundary_zone, detection, strata, weighted_aurocs

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
    return pd.DataFrame(frame).assign(fold=folds(recited, group, seed=1), tokens=[*unlike_tokens(range(N))])


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
        TOGETHER: np.concatenate([nll, hint], axis=1),
        "exposure": np.log1p(rows["exposure"].to_numpy(float))[:, None],
        "bag_of_words": csr_array(random.poisson(0.2, (N, 50)).astype(float)),
    }
    return {6: {name: named[name] for name in ("nll", TOGETHER)}, 12: named}


@pytest.fixture(scope="module")
def found(rows, sets):
    return detection(rows, sets)


def row(found, features, stratum, n_seen=12):
    chosen = found[(found.features == features) & (found.stratum == stratum) & (found.n_seen == n_seen)]
    return chosen.iloc[0]


def test_what_is_known_is_found(found):
    for name, stratum in (("answer", "all"), ("answer", "boundary"), ("exposure", "unseen")):
        assert row(found, name, stratum).auroc == pytest.approx(1)
    for stratum in ("all", "boundary"):
        for name in ("noise", "bag_of_words"):
            blind = row(found, name, stratum)
            assert blind.auroc_low < 0.55 and blind.auroc_high > 0.45
        assert row(found, "hint", stratum).auroc_low > 0.6
    assert row(found, "exposure", "all").auroc > row(found, "exposure", "boundary").auroc


def test_aurocs_are_those_of_the_scores_of_all_folds(found, rows, sets):
    for name, (within, positive) in strata(rows).items():
        label, fold = positive[within], rows["fold"].to_numpy()[within]
        scores = scored("nll", sets[12]["nll"][within], label, fold)
        areas = [roc_auc_score(label[fold == number], scores[fold == number]) for number in range(5)]
        pairs = [label[fold == number].sum() * (~label[fold == number]).sum() for number in range(5)]
        assert row(found, "nll", name).auroc == pytest.approx(np.average(areas, weights=pairs))


def test_a_gain_is_paired_with_the_nll_of_the_same_tokens(found):
    for n_seen in (6, 12):
        both = row(found, TOGETHER, "boundary", n_seen)
        alone = row(found, "nll", "boundary", n_seen)
        assert both.gain == pytest.approx(both.auroc - alone.auroc) and np.isnan(alone.gain)
        assert both.gain_low > 0, "the hint is strong"
        width = both.auroc_high - both.auroc_low + alone.auroc_high - alone.auroc_low
        assert both.gain_high - both.gain_low < width
    noise = row(found, "noise", "boundary")
    assert noise.gain_high < 0


def test_labels_that_are_shuffled_within_folds_cannot_be_told(rows, sets):
    """Else a fit would know something of the rows that it judges."""
    random, fold, found = np.random.default_rng(0), rows["fold"].to_numpy(), []
    for _ in range(12):
        shuffled = rows["recited"].to_numpy().copy()
        for number in np.unique(fold):
            shuffled[fold == number] = random.permutation(shuffled[fold == number])
        scores = scored(TOGETHER, sets[12][TOGETHER], shuffled, fold)
        found.append(weighted_aurocs(scores, shuffled, fold, np.ones((1, N))))
    assert np.mean(found) == pytest.approx(0.5, abs=0.04)


def test_the_boundary_zone_is_where_exposure_leaves_it_open(rows):
    zone, seen = boundary_zone(rows), ~rows.unseen.to_numpy()
    inside = rows.exposure[zone]
    assert 4 < inside.min() < 12 < 20 < inside.max() < 60 and not zone[~seen].any()
    logs, signs = np.log(rows.exposure.clip(lower=1)), np.where(rows.recited, 1, -1)
    for number in range(5):
        fitted, own = seen & (rows.fold != number), seen & (rows.fold == number)

        def loss(ab, fitted=fitted):
            return np.logaddexp(0, -(ab[0] + ab[1] * logs) * signs)[fitted].sum()

        a, b = minimize(loss, [0, 1]).x
        chance = expit(a + b * logs)
        near = (abs(chance - 0.05) < 1e-3) | (abs(chance - 0.95) < 1e-3)
        assert (zone == chance.between(0.05, 0.95))[own & ~near].all()


@pytest.mark.parametrize(("n_groups", "names"), [(5, {"unseen"}), (6, {"all", "unseen"})])
def test_six_groups_of_a_kind_are_a_stratum_and_five_are_none(n_groups, names):
    """A hundred recited paragraphs are in so few groups; of exposures, none leaves it open."""
    n = np.arange(300)
    frame = {"exposure": np.where(n < 100, 9, 1), "unseen": n >= 200, "recited": n < 100}
    groups = np.where(n < 100, n % n_groups, n)
    made = pd.DataFrame(frame).assign(group=groups, fold=groups % 3, tokens=[*unlike_tokens(n)])
    named = {name: np.random.default_rng(0).normal(size=(300, n)) for name, n in (("nll", 1), (TOGETHER, 2))}
    assert set(detection(made, {4: named})["stratum"]) == names


def test_where_a_fit_would_see_one_label_there_is_no_stratum():
    """All recited paragraphs are in one fold, without which none is recited."""
    n = np.arange(90)
    frame = {"exposure": 1 + n % 9, "unseen": False, "recited": n % 3 == 0, "group": n, "fold": n % 3}
    frame["tokens"] = [*unlike_tokens(n)]
    made, named = pd.DataFrame(frame), {"nll": np.zeros((90, 1)), TOGETHER: np.zeros((90, 2))}
    assert detection(made, {4: named}).empty and not boundary_zone(made).any()


def plain(scaler, features, label, penalty, train, test, **options):
    """Log odds by scikit-learn itself, of one fold."""
    scaler = scaler.fit(features[train])
    fit = LogisticRegression(C=penalty, **options).fit(scaler.transform(features[train]), label[train])
    return fit.decision_function(scaler.transform(features[test]))


def best_penalty(scaler, features, label, fold, **options):
    """The penalty with the lowest mean loss on each half of the folds, by a fit to the other half."""
    rows = scaler.fit(features).transform(features)
    halves = [test for _, test in GroupKFold(2).split(rows, label, fold)]
    losses = []
    for penalty in PENALTIES:
        found = []
        for test, train in (halves, halves[::-1]):
            fit = LogisticRegression(C=penalty, **options).fit(rows[train], label[train])
            found.append(log_loss(label[test], fit.predict_proba(rows[test]), labels=[False, True]))
        losses.append(np.mean(found))
    return PENALTIES[int(np.argmin(losses))]


@pytest.mark.parametrize("n_features", [1, 4])
def test_answers_are_those_of_plain_fits(n_features):
    """Without a choice of penalties for one feature; judged rows change nothing."""
    random, fold = np.random.default_rng(0), np.arange(90) % 5
    label, features = random.random(90) < 0.4, random.normal(10, 5, (90, n_features))
    features[:, 0] += 5 * label
    found = scored("residual", features, label, fold)
    for number in range(5):
        test, train = fold == number, fold != number
        penalty = 1.0
        if n_features > 1:
            penalty = best_penalty(StandardScaler(), features[train], label[train], fold[train])
        expected = plain(StandardScaler(), features, label, penalty, train, test)
        # Where a penalty is chosen, the solver starts elsewhere, and stops near the optimum.
        np.testing.assert_allclose(found[test], expected, rtol=1e-3, atol=2e-3)


def test_the_nll_may_be_free_of_the_penalty():
    """Among noise that is penalised, it moves the log odds as in a fit of the NLL alone."""
    random, n = np.random.default_rng(0), 400
    nll = random.normal(size=(n, 1))
    label, fold = random.random(n) < 1 / (1 + np.exp(-2 * nll[:, 0])), np.arange(n) % 5
    features = np.concatenate([nll, random.normal(size=(n, 100))], axis=1)

    def slope(name, features):
        return np.polyfit(nll[:, 0], scored(name, features, label, fold), 1)[0]

    assert slope(TOGETHER, features) == pytest.approx(slope("nll", nll), rel=0.1)
    assert slope("residual", features) < 0.5 * slope("nll", nll)


def test_words_are_scaled_by_their_largest_number():
    random, fold = np.random.default_rng(0), np.arange(200) % 5
    label = random.random(200) < 0.4
    words = random.poisson(1 + label[:, None] * [4, 0, 0]).astype(float)
    found = scored("bag_of_words", csr_array(words), label, fold)
    for number in range(5):
        test, train = fold == number, fold != number
        options = {"solver": "liblinear"}
        penalty = best_penalty(MaxAbsScaler(), words[train], label[train], fold[train], **options)
        expected = plain(MaxAbsScaler(), words, label, penalty, train, test, **options)
        np.testing.assert_allclose(found[test], expected, rtol=1e-3, atol=1e-4)


RANDOM = np.random.default_rng(0)
LABEL = RANDOM.random(120) < 0.3
FOLD = np.arange(120) % 3
WEIGHTS = np.concatenate([np.ones((1, 120)), RANDOM.integers(0, 4, (5, 120))]).astype(float)
SCORES = {
    "distinct": LABEL + RANDOM.normal(size=120) + 10 * FOLD,  # only an AUROC over all folds sees the tens
    "ties": np.round(LABEL + RANDOM.normal(size=120)),
    "one value": np.full(120, 0.3),
    "perfect": LABEL.astype(float),
}


def counted(scores, weights):
    """Weighted share of pairs in one fold whose positive has the higher score; ties count half."""
    won = pairs = 0.0
    for a in np.flatnonzero(LABEL):
        for b in np.flatnonzero(~LABEL & (FOLD[a] == FOLD)):
            won += weights[a] * weights[b] * (float(scores[a] > scores[b]) + (scores[a] == scores[b]) / 2)
            pairs += weights[a] * weights[b]
    return won / pairs


@pytest.mark.parametrize("name", SCORES)
def test_areas_are_shares_of_pairs(name):
    found = weighted_aurocs(SCORES[name], LABEL, FOLD, WEIGHTS)
    assert found == pytest.approx([counted(SCORES[name], weights) for weights in WEIGHTS])


def test_a_fold_with_one_label_and_a_resample_without_a_positive_have_no_pairs():
    alone = LABEL | (FOLD == 0)
    two = SCORES["ties"][FOLD > 0], LABEL[FOLD > 0], FOLD[FOLD > 0], WEIGHTS[:, FOLD > 0]
    assert weighted_aurocs(SCORES["ties"], alone, FOLD, WEIGHTS) == pytest.approx(weighted_aurocs(*two))
    assert np.isnan(weighted_aurocs(SCORES["ties"], LABEL, FOLD, 1.0 * ~LABEL[None])).all()
