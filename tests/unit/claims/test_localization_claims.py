"""Claims on gradients, attention, rare tokens, patching and rankings, on tables with known verdicts."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from made_claims import judged, settings_of, verdicts
from made_tables import crossed

from memloc.claims.evaluate import ONE_TRAINING, evaluate
from memloc.claims.registry import topics
from memloc.localization import head_ranking
from memloc.tables.terms.head_ranking import PAPER_METHODS as METHODS

HEADS = pd.MultiIndex.from_product([range(2), range(4)], names=["layer", "head"])


def ranking(first, last="patching"):
    """All methods but one rank a head first, and the heads in order behind it; that one ranks it last."""
    order = [first, *(head for head in HEADS if head != first)]
    orders = dict.fromkeys((*METHODS, "combined"), order) | {last: order[::-1]}
    rows = [(method, *head, place) for method, heads in orders.items() for place, head in enumerate(heads, 1)]
    return pd.DataFrame(rows, columns=["method", "layer", "head", "rank"])


def over_trainings(topic, tables, **changes):
    """Verdict and value of a topic's claim on the named head, if five trainings find the same."""
    (row,) = evaluate(topics()[topic], [tables] * 5, settings_of(topic, **changes))
    return row["verdict"], row["value"]


# Gradients of weights.

LARGER, MATRIX = "non_memorized_gradients_larger", "one_value_matrix_leads"


def gradients(memorized=(2, 2, 2, 2), others=(3, 3, 9, 9), n=20, leads=(("W_V", 1, 2),)):
    """Scores by layer, whose squares are summed gradients; matrices that are three times as large."""
    rng = np.random.default_rng(0)
    sizes = crossed(place=range(2), id=range(n), layer=range(len(memorized)))
    scores = [(memorized, others)[row.place][row.layer] for row in sizes.itertuples()]
    sizes["score_sum"] = scores * np.exp(0.01 * rng.normal(size=len(sizes)))
    sizes["id"] += 1000 * sizes["place"]
    sets = sizes[["id", "place"]].drop_duplicates().assign(sampled=True)
    sets["set"] = np.where(sets["place"] == 0, "memorized", "non_memorized")
    kinds = [*product(("part", "rest"), range(20)), ("resample", 0)]
    samples = crossed(
        group=("memorized", "contrastive"), kind=range(len(kinds)), component=("W_Q", "W_V"), place=range(8)
    )
    samples[["sample", "number"]] = [kinds[kind] for kind in samples["kind"]]
    samples[["layer", "head"]] = np.array(HEADS.to_list())[samples["place"]]
    matrices = zip(samples["component"], samples["layer"], samples["head"], strict=True)
    larger = np.array([3.0 if matrix in leads else 1.0 for matrix in matrices])
    samples["max_abs"] = larger * np.exp(0.01 * rng.normal(size=len(samples)))
    neurons = samples.iloc[:1].assign(component="W_in", head=None, max_abs=1e6)  # heads' matrices only
    samples = pd.concat([samples.astype({"head": "Int64"}), neurons.astype({"head": "Int64"})])
    return {
        "paragraph_gradients": sizes.assign(nll=0.1, sum_abs=sizes["score_sum"] ** 2),
        "sets": pd.concat([sets, sets.assign(id=sets["id"] + 5000, sampled=False)]),
        "parameter_gradient_samples": samples,
    }


def test_what_the_paper_found_of_gradients_holds():
    found = judged("gradients", gradients())
    assert set(found["verdict"]) == {"holds"}
    assert found["value"].tolist() == pytest.approx([np.log(180 / 16), 1], abs=0.5)


@pytest.mark.parametrize(
    ("changes", "claim", "verdict"),
    [
        ({"others": (2, 2, 2, 2)}, LARGER, "no difference that matters"),
        ({"leads": (("W_Q", 0, 0),)}, MATRIX, "does not hold"),
        ({"n": 5}, LARGER, "too few"),
    ],
)
def test_each_claim_on_gradients_fails_by_itself(changes, claim, verdict):
    assert verdicts("gradients", gradients(**changes))[claim] == verdict


@pytest.mark.parametrize("sample", ["part", "rest"])
def test_a_matrix_must_lead_in_both_objectives_and_in_the_part_as_in_the_rest(sample):
    given = gradients()
    rows = given["parameter_gradient_samples"]
    other = (rows["component"] == "W_V") & (rows["layer"] == 0) & (rows["head"] == 1)
    five = (rows["group"] == "contrastive") & (rows["sample"] == sample) & (rows["number"] < 5)
    rows.loc[other & five, "max_abs"] = 9.0
    assert judged("gradients", given).loc[MATRIX, ["value", "n"]].tolist() == [15 / 20, 20]


def paired_gradients(lower, n=20):
    """Memorized paragraphs hold this share in the first of two layers, others a half."""
    rows = crossed(place=range(2), pair=range(n), layer=range(2))
    noise = 0.001 * np.random.default_rng(0).normal(size=n)[rows["pair"]]
    low = np.where(rows["place"] == 1, 0.5, lower + noise)
    rows["score_sum"] = np.where(rows["layer"] == 0, low, 1 - low)
    rows = rows.assign(id=rows["pair"] + 100 * rows["place"], sum_abs=rows["score_sum"], nll=1.0)
    sets = rows[rows["layer"] == 0].assign(set=rows["place"].map({0: "memorized", 1: "partly_30_49"}))
    return {"paragraph_gradients": rows, "sets": sets.astype({"pair": "Int64"})}


@pytest.mark.parametrize(
    ("lower", "n", "verdict"),
    [(0.5, 20, "no difference that matters"), (0.6, 5, "too few"), (0.6, 0, "not applicable")],
)
def test_gradients_are_compared_at_equal_exposure(lower, n, verdict):
    found = judged("paired_gradients", paired_gradients(lower, n)).iloc[0]
    assert found["verdict"] == verdict and found["n"] == n
    assert n == 0 or found["value"] == pytest.approx(100 * (lower - 0.5), abs=0.1)


def test_one_layer_and_one_paragraph_leave_nothing_to_compare():
    assert verdicts("gradients", gradients(memorized=(2,), others=(3,)))[LARGER] == "holds"
    one = gradients()
    one["parameter_gradient_samples"] = one["parameter_gradient_samples"].query("sample == 'part'")
    assert verdicts("gradients", one)[MATRIX] == "not applicable"


# Attention.


def attention(kinds, n=20, noise=0.5):
    """Profiles by (layer, head): 1 with, -1 against the paragraph's own, 0 neither; others' are noise."""
    random, rows = np.random.default_rng(0), []
    for paragraph in range(2 * n):
        own = random.normal(size=12)
        for (layer, head), kind in kinds.items():
            value = 10 + kind * (paragraph < n) * own + (noise if kind else 1) * random.normal(size=12)
            frame = {"id": paragraph, "layer": layer, "head": head, "position": range(12)}
            rows.append(pd.DataFrame(frame | {"attention": value}))
    names = np.where(np.arange(2 * n) < n, "memorized", "non_memorized")
    sets = pd.DataFrame({"id": range(2 * n), "set": names, "sampled": True})
    return {"attention": pd.concat(rows), "sets": sets, "head_ranking": ranking((1, 0))}


ALIKE = dict.fromkeys(HEADS, 1)
PREFIX = {"paragraph": {"prefix": 12, "length": 24}}


def follower():
    """The named head attends to what all heads of its layer attend to."""
    given = attention(ALIKE | {(0, 2): -1, (0, 3): 0})
    rows = given["attention"]
    named = (rows["layer"] == 1) & (rows["head"] == 0)
    means = rows[rows["layer"] == 1].groupby(["id", "position"])["attention"].mean()
    rows.loc[named, "attention"] = means.to_numpy()
    return given


def test_a_configured_head_is_opposed_to_its_layer_and_constant_profiles_and_lone_heads_oppose_nothing():
    known, opposed = PREFIX | {"highlight": {"layer": 0, "head": 2}}, attention(ALIKE | {(0, 2): -1})
    assert over_trainings("attention", opposed, **known) == ("holds", pytest.approx(1))
    alone, constant = attention({(0, 0): 1, (1, 0): 1}), attention(ALIKE)
    constant["attention"]["attention"] = 0.5
    for given in (alone, constant):
        assert over_trainings("attention", given, **PREFIX) == ("not applicable", None)


# Rare tokens.


def rare(slopes, n_groups=20, noise=0.1):
    """Attention per occurrence that falls with the rank by the slope of a (layer, head), else evenly."""
    random = np.random.default_rng(0)
    rows = crossed(group=range(n_groups), layer=range(2), head=range(4), rank=range(10))
    occurrences = 12.0 - rows["rank"] + random.integers(3, size=(n_groups, 10))[rows["group"], rows["rank"]]
    slope = [slopes.get(head, 0) for head in zip(rows["layer"], rows["head"], strict=True)]
    mean = 1 - slope * rows["rank"] / 10 + noise * random.normal(size=len(rows))
    rows = rows.assign(attention_sum=mean * occurrences, attention_expected=occurrences)
    return {"rare_token_groups": rows, "head_ranking": ranking((1, 0), last="rare_tokens")}


@pytest.mark.parametrize(("ahead", "found"), [((1, 2), ("too few", 2 / 3)), ((0, 2), ("holds", 1))])
def test_a_head_is_compared_with_those_of_its_layer_alone(ahead, found):
    assert over_trainings("rare_tokens", rare({(1, 0): 0.3, ahead: 0.6})) == found


def test_a_claim_on_the_named_head_is_judged_over_trainings_with_as_many_heads_only():
    """Heads that prefer none are equal, so none is behind."""
    topic, known, tables = topics()["rare_tokens"], settings_of("rare_tokens"), rare({(1, 0): 0.5})
    (alone,) = evaluate(topic, [tables], known)
    assert (alone["verdict"], alone["reason"]) == ("not applicable", ONE_TRAINING)
    assert over_trainings("rare_tokens", rare({(0, 2): 0.5}, noise=0)) == ("does not hold", 0)
    fewer = tables | {"rare_token_groups": tables["rare_token_groups"].query("head < 3")}
    (row,) = evaluate(topic, [tables, fewer], known)
    assert row["reason"] == "the models have unequally many heads"


# Patching.


def patching(effects, n=20, noise=0.1, method="exact", n_stored=4):
    """Changes of q, k and v of every head: noise, and on top the effects of (layer, component, head)."""
    signs = {"memorized_into_perturbed": 1, "perturbed_into_memorized": -1}
    rows = crossed(id=range(n), direction=signs, layer=range(2), component=list("qkv"), head=range(4))
    rows = rows[(rows["component"] == "q") | (rows["head"] < n_stored)].assign(method=method)
    sites = zip(rows["layer"], rows["component"], rows["head"], strict=True)
    effect = [effects.get(site, 0) for site in sites]
    changes = effect + noise * np.random.default_rng(0).normal(size=len(rows))
    rows["nll_change"] = rows["direction"].map(signs) * changes
    impact = np.where(np.arange(n) < 9, 4, 7)
    perturbed = pd.DataFrame({"id": range(n), "position": 3, "impact_position": impact})
    return {"patching": rows, "head_ranking": ranking((1, 2)), "perturbed_paragraphs": perturbed}


EVERY = {(layer, "v", head): 2 for layer, head in HEADS}


def test_only_pairs_whose_perturbed_token_is_not_the_predicting_one_count():
    given = patching(EVERY | {(1, "v", 2): 0})
    rows = given["patching"]
    rows.loc[(rows["id"] < 9) & (rows["layer"] == 1) & (rows["head"] == 2), "nll_change"] = 99.0
    assert over_trainings("patching", given) == ("holds", 1)
    given["perturbed_paragraphs"] = given["perturbed_paragraphs"].assign(impact_position=4)
    assert over_trainings("patching", given)[0] == "not applicable"


def test_heads_that_read_one_key_value_head_share_its_effect_and_estimates_do_not_count():
    """Query head 3 reads what the named head 2 reads."""
    shared = patching({(1, "v", 1): 2}, n_stored=2, noise=0)
    assert over_trainings("patching", shared) == ("does not hold", 0)
    estimated = over_trainings("patching", patching(EVERY, method="attribution"))
    assert estimated[0] == "not applicable"


# Rankings.

FIRST = "one_head_leads"
CLEAR = [[1, 2, 3, 4], [5, 6, 20, 7]]


def ranked(truth, noise=0.1, n_parts=10, n_stored=4):
    """Samples of every method's scores, which are those of `truth` [layer, head] by method and noise.

    Methods but attention see only what query heads read, of which there are `n_stored` in a layer.
    """
    rng, kinds = np.random.default_rng(0), {"part": n_parts, "rest": n_parts, "resample": 40}
    keys = pd.DataFrame([(kind, number) for kind, n in kinds.items() for number in range(n)])
    keys.columns = ["sample", "number"]
    scores = {m: truth[m] + noise * rng.normal(size=(len(keys), 2, 4)) for m in METHODS}
    for method in set(METHODS) - {"rare_tokens"}:
        scores[method] = scores[method][..., np.arange(4) // (4 // n_stored) * (4 // n_stored)]
    samples = head_ranking.sample_ranks(head_ranking.Sampled(keys, scores))
    matrices = pd.DataFrame([("W_Q", 3), ("W_V", n_stored - 1)], columns=["component", "head"])
    return {"head_rank_samples": samples, "parameter_gradients": matrices}


def same(scores):
    return dict.fromkeys(METHODS, np.array(scores, float))


def test_query_heads_that_share_keys_and_values_are_one_and_their_order_is_no_agreement():
    """Three methods score heads in twos; ordered by number, the pairs of equal heads would agree."""
    truth = same([[1, 1, 4, 4], [7, 7, 9, 9]]) | {"rare_tokens": np.array([[1, 2, 3, 4], [5, 6, 9, 8.5]])}
    found = judged("ranking", ranked(truth, n_stored=2))
    assert found.loc[FIRST, ["value", "n"]].tolist() == pytest.approx([1, 10]), "head 3 reads what 2 reads"
    methods = {m: head_ranking.rank_heads({m: pd.Series(np.ravel(truth[m]), HEADS)}) for m in METHODS}
    ranking = pd.concat(rows[rows["method"] == m] for m, rows in methods.items())
    found = head_ranking.rank_agreement(ranking, ["patching", "parameter_gradient"])
    alike = 24 / 28  # of 28 pairs, 24 are not of equal heads, and are ordered alike
    assert found["patching", "parameter_gradient"] == pytest.approx(alike)


def test_heads_that_take_turns_do_not_lead_and_few_parts_decide_nothing():
    equal = ranked(same([[9, 1, 2, 3], [9, 4, 5, 6]]), noise=0.3, n_parts=20)
    assert judged("ranking", equal).loc[FIRST, "value"] < 0.8
    none = ranked(same([[1, 1, 1, 1], [1, 1, 1, 1]]), noise=0.3, n_parts=60)
    assert verdicts("ranking", none)[FIRST] == "does not hold"
    assert verdicts("ranking", ranked(same(CLEAR), n_parts=5))[FIRST] == "too few"
    one = ranked(same(CLEAR))
    one["head_rank_samples"] = one["head_rank_samples"].query("sample == 'part'")
    assert verdicts("ranking", one)[FIRST] == "not applicable"
