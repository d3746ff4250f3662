"""Head rankings against hand-counted examples."""

import numpy as np
import pandas as pd
import pytest
from made_tables import crossed
from scipy import stats

from memloc.data.draws import Draws
from memloc.localization import head_ranking, head_scores
from memloc.tables.terms.patching import DIRECTIONS


def scores(values):
    """Scores of a [layer, head] array."""
    frame = pd.DataFrame(values)
    frame.index.name, frame.columns.name = "layer", "head"
    return frame.stack()


def test_shared_key_value_heads_score_for_each_query_head_that_reads_them():
    spread = head_scores.over_query_heads(scores([[1.0, 2.0], [3.0, 4.0]]), n_heads=6)
    assert spread.unstack("head").to_numpy().tolist() == [[1, 1, 1, 2, 2, 2], [3, 3, 3, 4, 4, 4]]


def test_heads_are_exchanged_within_their_layers_and_in_each_method_by_itself():
    """Of six pairs of heads, four are of two layers and keep their order; two agree in half of the draws."""
    by_method = {"a": [[4.0, 3.0], [2.0, 1.0]], "b": [[4.0, 3.0], [2.0, 1.0]], "c": [[2.0, 1.0], [4.0, 3.0]]}
    ranking = head_ranking.rank_heads({method: scores(values) for method, values in by_method.items()})
    found = head_ranking.exchanged_agreement(ranking, ["a", "b", "c"])
    assert all(len(taus) == 999 for taus in found.values())
    for pair, sign in {("a", "b"): 1, ("a", "c"): -1, ("b", "c"): -1}.items():
        taus, counts = np.unique((6 * sign * found[pair]).round(6), return_counts=True)
        assert taus.tolist() == [2, 4, 6]
        assert counts / counts.sum() == pytest.approx([0.25, 0.5, 0.25], abs=0.06)


def test_heads_that_tie_in_a_method_share_their_mean_rank():
    """Heads 0 and 1 tie for the first place of one method: both count as 1.5 in the mean over methods."""
    ranking = head_ranking.rank_heads({"a": scores([[5.0, 5.0, 1.0]]), "b": scores([[1.0, 2.0, 3.0]])})
    combined = ranking[ranking.method == "combined"].set_index("head")
    assert combined["score"].to_dict() == {0: -(1.5 + 3) / 2, 1: -(1.5 + 2) / 2, 2: -(3 + 1) / 2}
    assert combined["rank"].to_dict() == {1: 1, 2: 2, 0: 3}
    assert ranking[ranking.method == "a"].set_index("head")["rank"].to_dict() == {0: 1, 1: 1, 2: 3}


N_PARAGRAPHS, N_PREFIX = 12, 4


@pytest.fixture
def tables():
    """Tables of 2 layers of 4 query heads and 2 key/value heads, of 12 paragraphs, 10 or 5 parts."""
    rng = np.random.default_rng(0)
    layers, heads, ids = range(2), range(2), range(N_PARAGRAPHS)
    both = {"group": ["memorized", "perturbed"], "component": ["v", "q"]}
    kinds = {"group": ["memorized", "contrastive"], "sample": ["part", "rest"], "number": range(10)}
    axes = {
        "activation_gradients": crossed(**both, id=ids, layer=layers, head=heads, position=range(6)),
        "patching": crossed(id=ids, direction=DIRECTIONS, component=["k", "v"], layer=layers, head=heads),
        "rare_token_groups": crossed(group=range(5), layer=layers, head=range(4), rank=range(3)),
        "parameter_gradient_samples": crossed(**kinds, component=["W_Q", "W_V"], layer=layers, head=range(4)),
    }
    values = ("max_abs", "nll_change", "attention_sum", "max_abs")
    of_each = zip(axes.items(), values, strict=True)
    found = {name: own.assign(**{value: rng.normal(size=len(own)) ** 2}) for (name, own), value in of_each}
    found["rare_token_groups"] = found["rare_token_groups"].query("group != 2 or rank != 1")  # no such token
    found["patching"]["nll_change"] *= rng.choice([-1, 1], size=len(found["patching"]))
    gradients = found["parameter_gradient_samples"]
    gradients = gradients[(gradients["component"] == "W_Q") | (gradients["head"] < 2)]
    drawn = gradients[gradients["sample"] == "part"].merge(pd.DataFrame({"copy": range(20)}), how="cross")
    drawn = drawn.assign(sample="resample", number=drawn["number"] + 10 * drawn["copy"]).drop(columns="copy")
    whole = gradients.groupby(["group", "sample", "number"], sort=False).head(1)
    mlp = whole.assign(component="W_in", head=None, max_abs=1e9)
    table = pd.concat([gradients, drawn, mlp], ignore_index=True).astype({"head": "Int64"})
    found["parameter_gradient_samples"] = table
    return found


def sampled(tables, seed=5):
    return head_scores.sample_scores(tables, N_PREFIX, n_heads=4, rng=np.random.default_rng(seed))


def test_a_head_that_attends_to_all_ranks_alike_is_uncorrelated_with_them(tables):
    groups = tables["rare_token_groups"]
    alike = (groups["layer"] == 1) & (groups["head"] == 2)
    tables["rare_token_groups"] = groups.assign(attention_sum=groups["attention_sum"].mask(alike, 0.0))
    found = sampled(tables).scores["rare_tokens"]
    assert (found[:, 1, 2] == 0).all() and np.isfinite(found).all()


def test_a_resample_of_everything_once_has_the_scores_of_the_tables(tables, monkeypatch):
    """With every unit drawn once, each method gives what it gives without samples."""

    def once(sizes, parts, rng):
        keys = pd.DataFrame({"sample": ["part"], "number": [0]})
        return Draws(keys, np.full((1, len(sizes)), 1 / len(sizes)))

    monkeypatch.setattr(head_scores, "draw", once)
    found = sampled(tables).scores
    sums = tables["rare_token_groups"].groupby(["layer", "head", "rank"])["attention_sum"].sum().unstack()
    pearson = pd.Series([np.corrcoef(row, range(3))[0, 1] for row in sums.to_numpy()], sums.index)
    tables["rare_token_correlation"] = pearson.rename("pearson").reset_index()
    first = tables["parameter_gradient_samples"].query("sample == 'part' and number == 0")
    expected = head_scores.method_scores(tables | {"parameter_gradients": first}, N_PREFIX, 4)
    assert found.keys() == expected.keys()
    for method, values in found.items():
        assert values[0].ravel() == pytest.approx(expected[method].to_numpy()), method


def test_ranks_of_a_sample_are_those_of_rank_heads(tables):
    """Scores with ties: grouped heads share key and value scores."""
    found = sampled(tables)
    ranks = head_ranking.sample_ranks(found)
    for place in (0, 7, 209):
        kind, number = found.keys.iloc[place]
        one = {m: scores(values[place]) for m, values in found.scores.items()}
        for values in one.values():
            values.index.names = ["layer", "head"]
        expected = head_ranking.rank_heads(one).set_index(["method", "layer", "head"])["rank"].sort_index()
        rows = ranks[(ranks["sample"] == kind) & (ranks["number"] == number)]
        mine = rows.set_index(["method", "layer", "head"])["rank"].sort_index()
        assert mine.to_dict() == expected.to_dict()


@pytest.mark.parametrize(("n", "n_other", "ends"), [(10, 3, [1, 2]), (40, 1, [1, 2]), (40, 0, None)])
def test_intervals_hold_the_ranks_of_resamples_alone(n, n_other, ends):
    """One of 40 resamples is more than 2.5 %: the rank that it gives is in the interval."""
    ranking = head_ranking.rank_heads({"a": scores([[2.0, 1.0]])}).query("method == 'a'")
    orders = [("resample", at, head, 1 + (head + (at < n_other)) % 2) for at in range(n) for head in (0, 1)]
    orders += [("part", at, head, 2) for at in range(n) for head in (0, 1)]
    samples = pd.DataFrame(orders, columns=["sample", "number", "head", "rank"]).assign(method="a", layer=0)
    found = head_ranking.with_intervals(ranking, samples).set_index("head")
    share = n_other / n
    assert found["first_share"].to_dict() == pytest.approx({0: 1 - share, 1: share})
    expected = [ends, ends] if ends else [[1, 1], [2, 2]]
    assert found[["low", "high"]].to_numpy().tolist() == expected


def test_agreement_is_kendalls_tau_of_the_ranks():
    rng = np.random.default_rng(0)
    orders = {method: rng.permutation(12) + 1 for method in ("a", "b")}
    rows = [(m, head // 4, head % 4, rank) for m, order in orders.items() for head, rank in enumerate(order)]
    ranking = pd.DataFrame(rows, columns=["method", "layer", "head", "rank"])
    found = head_ranking.rank_agreement(ranking, ["a", "b"])
    assert found == {("a", "b"): pytest.approx(stats.kendalltau(orders["a"], orders["b"]).statistic)}
