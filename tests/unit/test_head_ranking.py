"""Head rankings against hand-counted examples."""

import numpy as np
import pandas as pd
import pytest

from memloc import head_ranking


def scores(values):
    """Scores of a [layer, head] array."""
    frame = pd.DataFrame(values)
    frame.index.name, frame.columns.name = "layer", "head"
    return frame.stack()


def test_shared_key_value_heads_score_for_each_query_head_that_reads_them():
    spread = head_ranking.spread_over_query_heads(scores([[1.0, 2.0], [3.0, 4.0]]), n_heads=6)
    assert spread.unstack("head").to_numpy().tolist() == [[1, 1, 1, 2, 2, 2], [3, 3, 3, 4, 4, 4]]


def test_parameter_score_is_the_largest_of_a_heads_components_of_one_group():
    rows = [
        ("memorized", 0, "W_Q", 0, 0.1),
        ("memorized", 0, "W_Q", 1, 0.7),
        ("memorized", 0, "W_V", 0, 0.5),
        ("memorized", 0, "W_V", 1, 0.2),
        ("memorized", 0, "W_in", None, 9.0),
        ("non_memorized", 0, "W_Q", 0, 99.0),
        ("non_memorized", 0, "W_Q", 1, 99.0),
    ]
    frame = pd.DataFrame(rows, columns=["group", "layer", "component", "head", "max_abs"])
    frame["head"] = frame["head"].astype("Int64")
    result = head_ranking.parameter_gradient_scores(frame, "memorized", n_heads=2)
    assert result.loc[0, 0] == 0.5
    assert result.loc[0, 1] == 0.7


def test_rarest_first_means_the_most_negative_correlation_first():
    frame = pd.DataFrame({"layer": [0, 0], "head": [0, 1], "pearson": [-0.9, 0.3]})
    ranking = head_ranking.rank_heads({"rare_tokens": head_ranking.rare_token_scores(frame)})
    first = ranking[(ranking.method == "rare_tokens") & (ranking["rank"] == 1)]
    assert first[["layer", "head"]].to_numpy().tolist() == [[0, 0]]


def test_patching_counts_both_signs_and_directions():
    rows = [("q", 0, 0, 1.0), ("q", 0, 0, -3.0), ("v", 0, 0, 0.5), ("v", 0, 0, 0.5)]
    frame = pd.DataFrame(rows, columns=["component", "layer", "head", "nll_change"])
    assert head_ranking.patching_scores(frame, n_heads=1).loc[0, 0] == 2.0


def test_activation_scores_use_values_of_the_prefix_only():
    rows = [
        ("memorized", "v", 0, 0, 1, 2.0),
        ("memorized", "v", 0, 0, 2, 4.0),
        ("memorized", "v", 0, 0, 50, 100.0),
        ("memorized", "q", 0, 0, 1, 100.0),
        ("perturbed", "v", 0, 0, 1, 100.0),
    ]
    frame = pd.DataFrame(rows, columns=["group", "component", "layer", "head", "position", "max_abs"])
    assert head_ranking.activation_gradient_scores(frame, n_prefix=50, n_heads=1).loc[0, 0] == 3.0


def test_combined_rank_is_the_order_of_mean_ranks():
    first = scores([[3.0, 2.0, 1.0]])
    second = scores([[2.0, 3.0, 1.0]])
    third = scores([[3.0, 1.0, 2.0]])
    ranking = head_ranking.rank_heads({"a": first, "b": second, "c": third})
    combined = ranking[ranking.method == "combined"].set_index("head")
    assert combined["rank"].to_dict() == {0: 1, 1: 2, 2: 3}
    assert combined["score"].to_dict() == {0: -4 / 3, 1: -2.0, 2: -8 / 3}


def test_agreement_counts_concordant_pairs():
    random = np.random.default_rng(0)
    first, second = (scores(random.normal(size=(3, 4))) for _ in range(2))
    ranking = head_ranking.rank_heads({"parameter_gradient": first, "patching": second})
    found = head_ranking.agreement(ranking).set_index(["method_a", "method_b"]).kendall
    a, b = first.to_numpy(), second.to_numpy()
    pairs = [np.sign((a[i] - a[j]) * (b[i] - b[j])) for i in range(12) for j in range(i)]
    assert found["parameter_gradient", "patching"] == pytest.approx(np.mean(pairs))
