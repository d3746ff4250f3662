"""Claims on gradients, attention, rare tokens, patching and rankings, on tables with known verdicts."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from made_claims import judged, verdicts
from made_tables import crossed

from memloc.localization import head_ranking
from memloc.tables.terms.head_ranking import PAPER_METHODS as METHODS

HEADS = pd.MultiIndex.from_product([range(2), range(4)], names=["layer", "head"])


def ranking(first, last="patching"):
    """All methods but one rank a head first, and the heads in order behind it; that one ranks it last."""
    order = [first, *(head for head in HEADS if head != first)]
    orders = dict.fromkeys((*METHODS, "combined"), order) | {last: order[::-1]}
    rows = [(method, *head, place) for method, heads in orders.items() for place, head in enumerate(heads, 1)]
    return pd.DataFrame(rows, columns=["method", "layer", "head", "rank"])


# Gradients of weights.

LARGER, MATRIX = "non_memorized_gradients_larger", "one_value_matrix_leads"
LEAN = "memorized_gradients_lean_to_lower_layers"


def gradients(memorized=(2, 2, 2, 2), others=(3, 3, 9, 9), n=20, leads=(("W_V", 1, 2),), noise=0.01):
    """Scores by layer, whose squares are summed gradients; matrices that are three times as large."""
    rng = np.random.default_rng(0)
    sizes = crossed(place=range(2), id=range(n), layer=range(len(memorized)))
    scores = [(memorized, others)[row.place][row.layer] for row in sizes.itertuples()]
    sizes["score_sum"] = scores * np.exp(noise * rng.normal(size=len(sizes)))
    sizes["id"] += 1000 * sizes["place"]
    sets = sizes[["id", "place"]].drop_duplicates().assign(sampled=True)
    sets["set"] = np.where(sets["place"] == 0, "memorized", "non_memorized")
    kinds = [("whole", 0), *product(("part", "rest"), range(10)), *(("resample", i) for i in range(40))]
    samples = crossed(
        group=("memorized", "contrastive"), kind=range(len(kinds)), component=("W_Q", "W_V"), place=range(8)
    )
    samples[["sample", "number"]] = [kinds[kind] for kind in samples["kind"]]
    samples[["layer", "head"]] = np.array(HEADS.to_list())[samples["place"]]
    matrices = zip(samples["component"], samples["layer"], samples["head"], strict=True)
    larger = np.array([3.0 if matrix in leads else 1.0 for matrix in matrices])
    samples["max_abs"] = larger * np.exp(noise * rng.normal(size=len(samples)))
    neurons = samples.iloc[:1].assign(component="W_in", head=None, max_abs=1e6)  # heads' matrices only
    samples = pd.concat([samples.astype({"head": "Int64"}), neurons.astype({"head": "Int64"})])
    whole = samples["sample"] == "whole"
    return {
        "paragraph_gradients": sizes.assign(nll=0.1, sum_abs=sizes["score_sum"] ** 2),
        "sets": pd.concat([sets, sets.assign(id=sets["id"] + 5000, sampled=False)]),
        "parameter_gradients": samples[whole],
        "parameter_gradient_samples": samples[~whole],
    }


def test_what_the_paper_found_of_gradients_holds():
    found = judged("gradients", gradients())
    assert set(found["verdict"]) == {"holds"}
    assert found["value"].tolist() == pytest.approx([np.log(180 / 16), 0.5 - 0.25, np.log(3)], abs=0.05)


@pytest.mark.parametrize(
    ("changes", "claim", "verdict"),
    [
        ({"others": (1, 1, 1, 1)}, LARGER, "does not hold"),
        ({"memorized": (2, 2, 6, 6)}, LEAN, "does not hold"),  # the same shares
        ({"leads": (("W_V", 1, 2), ("W_Q", 0, 0))}, MATRIX, "undecided"),
        ({"leads": (("W_Q", 0, 0),)}, MATRIX, "undecided"),  # it never fails
        ({"n": 5}, LARGER, "undecided"),
    ],
)
def test_each_claim_on_gradients_fails_by_itself(changes, claim, verdict):
    assert verdicts("gradients", gradients(**changes, noise=0.02))[claim] == verdict


def test_the_lead_of_a_matrix_is_the_smaller_of_both_whichever_interval_begins_lower():
    given = gradients(noise=0.0)
    samples, whole = given["parameter_gradient_samples"], given["parameter_gradients"]
    own = (samples["component"] == "W_V") & (samples["layer"] == 1) & (samples["head"] == 2)
    wide = (
        own
        & (samples["group"] == "contrastive")
        & (samples["number"] < 5)
        & (samples["sample"] == "resample")
    )
    samples.loc[wide, "max_abs"] = 2.0
    larger = (whole["group"] == "contrastive") & (whole["max_abs"] == 3)
    found = judged(
        "gradients", given | {"parameter_gradients": whole.assign(max_abs=whole["max_abs"] + larger)}
    )
    assert found.loc[MATRIX, ["value", "low"]].tolist() == pytest.approx(np.log([3, 2]))


GIVEN, LEANS = "others_gradients_larger_at_equal_nll", "paired_gradients_lean_to_lower_layers"


def paired_gradients(log_nll, more=0.0, lower=0.5, n=50):
    """Sizes that follow the NLL, of others by `more` (log); memorized ones lie `lower` in the first layer."""
    rows = crossed(place=range(2), pair=range(n), layer=range(2))
    noise = np.random.default_rng(0).normal(size=(2, n))
    first, second = (part[rows["pair"]] for part in noise)
    rows["nll"] = np.exp(rows["place"] * (log_nll + 0.5 * first))
    low = np.where(rows["place"] == 1, 0.5, lower + 0.01 * second)
    size = rows["nll"] * np.exp(rows["place"] * (more + 0.1 * second))
    rows["score_sum"] = np.where(rows["layer"] == 0, low, 1 - low) * size
    rows = rows.assign(id=rows["pair"] + 100 * rows["place"], sum_abs=rows["score_sum"])
    sets = rows[rows["layer"] == 0].assign(set=rows["place"].map({0: "memorized", 1: "partly_30_49"}))
    return {"paragraph_gradients": rows, "sets": sets.astype({"pair": "Int64"})}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"log_nll": 1.0}, ("undecided", "does not hold")),  # all that differs is the NLL
        ({"log_nll": 1.0, "more": 0.5}, ("holds", "does not hold")),
        ({"log_nll": 1.0, "more": -0.5}, ("does not hold", "does not hold")),
        ({"log_nll": -1.0, "lower": 0.6}, ("undecided", "holds")),
        ({"log_nll": 1.0, "more": 0.5, "n": 49}, ("undecided", "does not hold")),
        ({"log_nll": 1.0, "more": 0.5, "n": 7}, ("undecided",) * 2),
        ({"log_nll": 1.0, "n": 0}, ("not applicable",) * 2),
    ],
)
def test_gradients_are_compared_at_equal_exposure_and_at_an_equal_nll(given, expected):
    found = judged("paired_gradients", paired_gradients(**given))
    assert tuple(found.loc[[GIVEN, LEANS], "verdict"]) == expected


def test_values_of_gradients_at_equal_exposure():
    found = judged("paired_gradients", paired_gradients(1.0, more=0.5, lower=0.6))["value"]
    assert found[GIVEN] == pytest.approx(0.5, abs=0.1) and found[LEANS] == pytest.approx(0.1, abs=0.01)


def test_one_layer_and_one_paragraph_leave_nothing_to_compare():
    found = verdicts("gradients", gradients(memorized=(2,), others=(3,)))
    assert found[LEAN] == "not applicable" and found[LARGER] == "holds"
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


@pytest.mark.parametrize(
    ("kinds", "highlight", "expected"),
    [
        (ALIKE | {(1, 0): -1}, "auto", "holds"),
        (ALIKE, "auto", "does not hold"),
        (dict.fromkeys(HEADS, 0), "auto", "undecided"),
        (ALIKE | {(0, 2): -1}, "auto", "does not hold"),  # another head than the highlighted one
        (ALIKE | {(0, 2): -1}, {"layer": 0, "head": 2}, "holds"),
        ({(0, 0): 1, (1, 0): 1}, "auto", "not applicable"),
    ],
)
def test_a_head_is_opposed_to_its_layer_or_not(kinds, highlight, expected):
    found = verdicts("attention", attention(kinds), highlight=highlight, **PREFIX)
    assert found == {"attention_opposed": expected}


def test_the_interval_of_a_chosen_head_allows_for_the_choice():
    given = attention(dict.fromkeys(HEADS, 0))
    heads = ("auto", {"layer": 1, "head": 0})
    chosen, alone = (judged("attention", given, highlight=head, **PREFIX).iloc[0] for head in heads)
    assert chosen["value"] == pytest.approx(alone["value"])
    assert chosen["high"] - chosen["low"] > 1.1 * (alone["high"] - alone["low"])


def test_no_interval_of_a_correlation_is_beyond_one():
    given = attention(ALIKE, n=8, noise=0.1)
    rows = given["attention"]
    other = (rows["layer"] == 1) & (rows["head"] == 0) & (rows["id"] < 3)
    rows.loc[other, "attention"] = np.random.default_rng(1).normal(size=other.sum())
    found = judged("attention", given, **PREFIX).iloc[0]
    assert (found["low"], found["verdict"]) == (-1, "undecided") and found["high"] > 0


def test_few_paragraphs_and_constant_profiles_decide_nothing():
    given = attention(ALIKE | {(1, 0): -1}, n=5)
    assert set(verdicts("attention", given, **PREFIX).values()) == {"undecided"}
    given["attention"] = given["attention"].assign(attention=0.5)
    assert set(verdicts("attention", given, **PREFIX).values()) == {"not applicable"}


# Rare tokens.

ATTENDS, LEADS = "localized_head_attends_to_rarer_tokens", "localized_head_leads_its_layer"


def rare(slopes, n_groups=20, noise=0.1):
    """Attention per occurrence that falls with the rank by the slope of a (layer, head), else evenly."""
    random = np.random.default_rng(0)
    rows = crossed(group=range(n_groups), layer=range(2), head=range(4), rank=range(10))
    occurrences = 12.0 - rows["rank"] + random.integers(3, size=(n_groups, 10))[rows["group"], rows["rank"]]
    slope = [slopes.get(head, 0) for head in zip(rows["layer"], rows["head"], strict=True)]
    mean = 1 - slope * rows["rank"] / 10 + noise * random.normal(size=len(rows))
    rows = rows.assign(attention_sum=mean * occurrences, attention_expected=occurrences)
    return {"rare_token_groups": rows, "head_ranking": ranking((1, 0), last="rare_tokens")}


@pytest.mark.parametrize(
    ("slopes", "expected"),
    [
        ({(1, 0): 0.3, (1, 2): 0.6}, ("holds", "does not hold")),
        ({(1, 0): 0.5, (0, 2): 0.6}, ("holds", "holds")),  # another layer is no rival
        ({(1, 0): -0.5}, ("does not hold", "does not hold")),
    ],
)
def test_heads_that_attend_to_rare_tokens(slopes, expected):
    found = judged("rare_tokens", rare(slopes))
    assert tuple(found.loc[[ATTENDS, LEADS], "verdict"]) == expected and found["n"].tolist() == [20, 20]


def test_the_preference_is_the_mean_rank_of_exchanged_attention_minus_that_of_the_heads():
    given = rare({(1, 0): 0.5})
    rows = given["rare_token_groups"].query("layer == 1")
    preferences = {
        keys: np.average(of["rank"], weights=of["attention_expected"])
        - np.average(of["rank"], weights=of["attention_sum"])
        for keys, of in rows.groupby(["head", "group"])
    }
    own, *others = (
        np.mean([value for (at, _), value in preferences.items() if at == head]) for head in range(4)
    )
    assert judged("rare_tokens", given).loc[ATTENDS, "value"] == pytest.approx(own - np.mean(others))


def test_a_head_that_the_methods_rank_like_another_one_decides_nothing():
    given = rare({(1, 0): 0.5})
    ranks = given["head_ranking"]
    ranks.loc[(ranks["layer"] == 1) & (ranks["head"] < 2), "rank"] = 1
    found = judged("rare_tokens", given)
    assert set(found["verdict"]) == {"undecided"}
    assert found["reason"].str.endswith("rank heads 0, 1 of its layer alike").all()


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
    return {"patching": rows, "head_ranking": ranking((1, 2))}


@pytest.mark.parametrize(
    ("effects", "expected"),
    [
        ({(0, "v", 1): 2, (1, "v", 2): 1}, "holds"),
        ({(0, "v", 1): 1, (1, "q", 2): 2}, "does not hold"),  # by any of its sites
        ({(0, "v", 1): 1, (1, "v", 2): 1}, "undecided"),
    ],
)
def test_patching_points_elsewhere_or_not(effects, expected):
    assert verdicts("patching", patching(effects)) == {"patching_points_elsewhere": expected}


def test_a_site_that_leads_or_not_leaves_open_whether_some_site_does():
    """The named head is far above the others by mean, and one of them has pairs of all sizes."""
    given = patching({(1, "v", 2): 2})
    rows = given["patching"]
    wild = (rows["layer"] == 0) & (rows["component"] == "v") & (rows["head"] == 1)
    rows.loc[wild, "nll_change"] = rows.loc[wild, "id"] % 2 * 4.0
    found = judged("patching", given).iloc[0]
    assert found["verdict"] == "undecided" and found["low"] < found["value"] < found["high"]
    assert found["value"] == pytest.approx(0, abs=0.05)


def test_heads_that_read_one_key_value_head_are_one_and_estimates_are_in_doubt():
    """Query head 3 reads what the named head 2 reads."""
    shared = patching({(1, "q", 3): 2}, n_stored=2)
    assert judged("patching", shared).iloc[0]["value"] < 0
    estimated = judged("patching", patching({(0, "v", 1): 2}, method="attribution")).iloc[0]
    expected = ("undecided", "patches of this model were estimated, not run")
    assert (estimated["verdict"], estimated["reason"]) == expected
    assert set(verdicts("patching", patching({(0, "v", 1): 2}, n=5)).values()) == {"undecided"}


# Rankings.

AGREE, FIRST = "methods_agree", "one_head_leads"
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
    whole = head_ranking.rank_heads({m: pd.Series(np.ravel(truth[m]), HEADS) for m in METHODS})
    samples = head_ranking.sample_ranks(head_ranking.Sampled(keys, scores))
    matrices = pd.DataFrame([("W_Q", 3), ("W_V", n_stored - 1)], columns=["component", "head"])
    return {"head_rank_samples": samples, "head_ranking": whole, "parameter_gradients": matrices}


def same(scores):
    return dict.fromkeys(METHODS, np.array(scores, float))


def test_methods_that_rank_alike_agree_on_one_head():
    found = judged("ranking", ranked(same(CLEAR), noise=0.3))
    assert set(found["verdict"]) == {"holds"} and found["n"].tolist() == [10, 10]
    assert found.loc[FIRST, "value"] == 1, "its mean rank is 1, the next one's 2"


def test_query_heads_that_share_keys_and_values_are_one_and_their_order_is_no_agreement():
    """Three methods score heads in twos; ordered by number, the pairs of equal heads would agree."""
    truth = same([[1, 1, 4, 4], [7, 7, 9, 9]]) | {"rare_tokens": np.array([[1, 2, 3, 4], [5, 6, 9, 8.5]])}
    found = judged("ranking", ranked(truth, n_stored=2))
    assert found.loc[FIRST, ["value", "low"]].tolist() == [2, 2], "head 3 reads what head 2 reads"
    methods = {m: head_ranking.rank_heads({m: pd.Series(np.ravel(truth[m]), HEADS)}) for m in METHODS}
    found = head_ranking.rank_agreement(
        pd.concat(rows[rows["method"] == m].assign(sample="whole", number=0) for m, rows in methods.items()),
        ["patching", "parameter_gradient"],
    )
    (tau,) = found["patching", "parameter_gradient"]["whole"]
    assert tau == pytest.approx(24 / 28), "the other 24 of 28 pairs are ordered alike"


@pytest.mark.parametrize(
    ("seed", "reason"), [(0, "noise of the ranks"), (6, "more than one in 40 exchanges")]
)
def test_methods_that_only_rank_the_same_layers_first_agree_on_no_head(seed, reason):
    """By luck, the second arrangement agrees somewhat, in every sample of paragraphs."""
    orders = np.random.default_rng(seed).permuted(np.tile(np.arange(4.0), (len(METHODS), 2, 1)), axis=2)
    truth = {method: order + [[0], [10]] for method, order in zip(METHODS, orders, strict=True)}
    found = judged("ranking", ranked(truth, noise=0.5)).loc[AGREE]
    assert found["verdict"] == "undecided" and reason in found["reason"]


def test_noise_lowers_agreement_and_so_decides_nothing():
    opposite = same(CLEAR) | {method: -np.array(CLEAR, float) for method in METHODS[::2]}
    found = judged("ranking", ranked(opposite, noise=0.5)).loc[AGREE]
    assert found["verdict"] == "undecided" and found["high"] < 0


def test_two_equal_heads_and_few_parts_decide_nothing():
    assert verdicts("ranking", ranked(same([[9, 1, 2, 3], [9, 4, 5, 6]]), noise=0.3))[FIRST] == "undecided"
    assert set(verdicts("ranking", ranked(same(CLEAR), n_parts=5)).values()) == {"undecided"}
    one = ranked(same(CLEAR))
    one["head_rank_samples"] = one["head_rank_samples"].query("sample == 'part'")
    assert set(verdicts("ranking", one).values()) == {"not applicable"}
