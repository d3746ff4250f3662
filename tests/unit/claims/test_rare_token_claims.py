"""Claims on attention to rare tokens, on groups of paragraphs with known correlations."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from memloc.claims.estimators import rare_tokens
from memloc.claims.registry import topics
from memloc.claims.verdicts import judge
from memloc.settings.sections import sections

N_RANKS = 30
CLAIMS = {claim.id: claim for claim in topics()["rare_tokens"].claims}
AUTO, FIXED = (sections({"highlight": chosen}) for chosen in ("auto", {"layer": 0, "head": 1}))


def grouped(slopes: dict, noise: float = 0.2, n_groups: int = 40, seed: int = 0) -> pd.DataFrame:
    """Groups of paragraphs: attention per occurrence falls by the slope of a (layer, head) over all ranks.

    Every rank occurs less often than the one before, so that all sums fall; `noise` is that of a group.
    """
    random = np.random.default_rng(seed)
    rank, rows = np.arange(N_RANKS), []
    for group in range(n_groups):
        occurrences = N_RANKS - rank + random.integers(3, size=N_RANKS)
        for (layer, head), slope in slopes.items():
            mean = 1 - slope * rank / N_RANKS + noise * random.normal(size=N_RANKS)
            frame = {"group": group, "layer": layer, "head": head, "rank": rank, "occurrences": occurrences}
            sums = {"attention_sum": mean * occurrences, "attention_expected": 1.0 * occurrences}
            rows.append(pd.DataFrame(frame | sums))
    return pd.concat(rows, ignore_index=True)


def ranking(**first: tuple[int, int]) -> pd.DataFrame:
    """Of two layers of two heads, by method: the given head is first, the others follow in order."""
    heads = [(layer, head) for layer in range(2) for head in range(2)]
    rows = [
        (method, *head, place + 1)
        for method, best in first.items()
        for place, head in enumerate(sorted(heads, key=lambda head: head != best))
    ]
    return pd.DataFrame(rows, columns=["method", "layer", "head", "rank"])


SLOPES = {(0, 0): 0.0, (0, 1): 0.0, (1, 0): 0.9, (1, 1): 0.0}


def tables(groups: pd.DataFrame, **first: tuple[int, int]) -> dict[str, pd.DataFrame]:
    first = first or {
        "patching": (1, 0),
        "parameter_gradient": (1, 0),
        "rare_tokens": (0, 0),
        "combined": (0, 0),
    }
    return {
        "rare_token_groups": groups,
        "rare_token_correlation": correlations(),
        "head_ranking": ranking(**first),
    }


def correlations(value: float = -0.7) -> pd.DataFrame:
    """Head (1, 0) has the value, the others have none; 95 % of permutations give -0.6 to 0.2."""
    frame = pd.DataFrame(
        [(layer, head) for layer in range(2) for head in range(2)], columns=["layer", "head"]
    )
    judged = (frame["layer"] == 1) & (frame["head"] == 0)
    for measure in ("pearson", "pearson_mean"):
        null = {f"{measure}_null_q{q}": at for q, at in (("025", -0.6), ("500", -0.3), ("975", 0.2))}
        frame = frame.assign(**{measure: np.where(judged, value, 0.0)}, **null)
    return frame.assign(n_unique_tokens=34562, n_paragraphs=1000)


def verdict(id: str, found: dict, settings: dict = AUTO) -> str:
    claim = CLAIMS[id]
    estimate = getattr(rare_tokens, claim.estimator)(found, settings, **claim.arguments)
    return judge(claim, estimate, 50).verdict


def by_hand(groups: pd.DataFrame, layer: int, head: int) -> float:
    """Correlation of the rank and the summed attention."""
    rows = groups[(groups["layer"] == layer) & (groups["head"] == head)].groupby("rank").sum()
    return stats.pearsonr(rows.index, rows["attention_sum"]).statistic


def test_unique_tokens_are_those_of_the_table():
    assert verdict("n_unique_tokens", tables(grouped(SLOPES))) == "holds"
    other = tables(grouped(SLOPES))
    other["rare_token_correlation"] = correlations().assign(n_unique_tokens=34561)
    assert verdict("n_unique_tokens", other) == "does not hold"


def test_a_heads_correlation_is_that_of_all_groups():
    groups = grouped(SLOPES)
    found = rare_tokens.correlation(tables(groups), AUTO, layer=1, head=0)
    assert found.value == pytest.approx(by_hand(groups, 1, 0))
    assert found.n == 40 and found.low < found.value < found.high


@pytest.mark.parametrize(("value", "expected"), [(-0.97, "holds"), (-0.5, "does not hold")])
def test_the_published_correlation_is_met_within_its_margin(value, expected):
    groups = grouped({(1, 0): 0, (1, 2): 0}, noise=0)
    rank, chosen = groups["rank"], groups["head"] == 2
    away = np.where(rank % 2 == 0, 1, -1)  # not correlated with the rank, up to the ends
    wanted = -rank + np.sqrt(1 / value**2 - 1) * stats.tstd(np.arange(N_RANKS)) * away
    groups.loc[chosen, "attention_sum"] = wanted[chosen] + 100
    assert verdict("rare_token_head_correlation", tables(groups)) == expected


def test_the_searched_head_is_chosen_on_even_groups_and_judged_on_odd_ones():
    groups = grouped(SLOPES, noise=0.3)
    even, odd = groups[groups["group"] % 2 == 0], groups[groups["group"] % 2 == 1]
    found = rare_tokens.strength(tables(groups), AUTO, "searched", "sum")
    chosen = min(SLOPES, key=lambda head: by_hand(even, *head))
    assert found.value == pytest.approx(-by_hand(odd, *chosen))
    assert found.n == 20


def test_a_head_of_even_groups_only_does_not_hold_on_the_others():
    groups = grouped(dict.fromkeys(SLOPES, 0.0), seed=1)
    luck = (groups["group"] % 2 == 0) & (groups["layer"] == 1) & (groups["head"] == 1)
    groups.loc[luck, "attention_sum"] *= 1 - 0.9 * groups.loc[luck, "rank"] / N_RANKS
    assert verdict("rare_token_head_attends_to_rarer_tokens", tables(groups)) != "holds"


FROM_GROUPS = [id for id, claim in CLAIMS.items() if claim.estimator in ("strength", "lead")]


def test_a_rare_token_head_holds():
    """The others prefer frequent tokens; sums of heads that do not are all near -1, and none stands out."""
    found = tables(grouped(dict.fromkeys(SLOPES, -3.0) | {(1, 0): 0.3}))
    assert {id: verdict(id, found) for id in FROM_GROUPS} == dict.fromkeys(FROM_GROUPS, "holds")


def test_even_heads_reach_the_published_size_and_nothing_else():
    """Sums fall for every head: the mean rank of what they attend to says so, and none stands out."""
    found = tables(grouped(dict.fromkeys(SLOPES, 0.0), noise=0.01))
    assert verdict("rare_token_head_exists", found) == "holds"
    assert verdict("rare_token_head_stands_out", found) == "does not hold"
    for measure in ("localized_head", "rare_token_head"):
        assert verdict(f"{measure}_attends_to_rarer_tokens", found) != "holds"


def test_a_head_of_frequent_tokens_fails():
    found = tables(grouped(SLOPES | {(1, 0): -9.0}))
    for id in FROM_GROUPS:
        assert verdict(id, found) == "does not hold" or not id.startswith("localized"), id


def test_the_mean_rank_is_that_of_all_occurrences():
    groups = grouped(SLOPES)
    rows = groups[(groups["layer"] == 1) & (groups["head"] == 0)]
    expected = np.average(rows["rank"], weights=rows["attention_expected"])
    expected -= np.average(rows["rank"], weights=rows["attention_sum"])
    found = rare_tokens.strength(tables(groups), AUTO, "localized", "mean rank")
    assert found.value == pytest.approx(expected)


@pytest.mark.parametrize("id", ["localized_head_below_null", "localized_head_below_null_per_occurrence"])
@pytest.mark.parametrize(
    ("value", "expected"),
    [(-0.61, "holds"), (-0.6, "undecided"), (-0.3, "undecided"), (0.2, "undecided"), (0.21, "does not hold")],
)
def test_a_head_is_compared_with_its_permutations(id, value, expected):
    claim = CLAIMS[id]
    other = "pearson" if id.endswith("per_occurrence") else "pearson_mean"
    heads = correlations(value).assign(**{other: -0.3 if expected == "holds" else -0.9})
    found = tables(grouped(SLOPES)) | {"rare_token_correlation": heads}
    assert verdict(id, found) == expected
    estimate = rare_tokens.below_null(found, AUTO, **claim.arguments)
    assert (estimate.value, estimate.n) == (pytest.approx(-0.3 - value), 1000)


def test_heads_that_are_the_same_lead_by_nothing():
    groups = grouped(SLOPES)
    same = groups[(groups["layer"] == 1) & (groups["head"] == 0)].assign(head=1)
    groups = pd.concat([groups[(groups["layer"] == 0) | (groups["head"] == 0)], same])
    found = rare_tokens.lead(tables(groups), AUTO, "localized", "sum")
    assert (found.value, found.low, found.high) == (0, 0, 0)
    assert verdict("localized_head_prefers_rare_tokens_most", tables(groups)) == "does not hold"


def test_attention_that_is_the_same_for_all_ranks_has_no_correlation():
    groups = grouped(SLOPES, noise=0).assign(attention_sum=1.0, attention_expected=1.0)
    assert rare_tokens.strength(tables(groups), AUTO, "localized", "sum").value == 0


def test_the_localized_head_is_the_first_of_the_other_methods():
    found = tables(grouped(SLOPES), patching=(1, 1), rare_tokens=(1, 0), combined=(1, 0))
    expected = by_hand(found["rare_token_groups"], 1, 1)
    assert rare_tokens.strength(found, AUTO, "localized", "sum").value == pytest.approx(-expected)
    expected = by_hand(found["rare_token_groups"], 0, 1)
    assert rare_tokens.strength(found, FIXED, "localized", "sum").value == pytest.approx(-expected)


def test_a_layer_with_a_single_head_has_no_other():
    found = tables(grouped({(0, 0): 0.5, (1, 0): 0.9}))
    assert verdict("localized_head_prefers_rare_tokens_most", found) == "not applicable"


@pytest.mark.parametrize("n_groups", [2, 5])
def test_few_groups_decide_nothing(n_groups):
    found = tables(grouped(SLOPES, n_groups=n_groups))
    for id in FROM_GROUPS:
        assert verdict(id, found) == "undecided", id


@pytest.mark.parametrize("n", [1, 2, 5])
def test_few_paragraphs_and_groups_decide_nothing_about_one_head(n):
    found = tables(grouped(SLOPES | {(1, 2): 0.9}, n_groups=n))
    found["rare_token_correlation"] = correlations().assign(n_paragraphs=n)
    for id, claim in CLAIMS.items():
        if claim.estimator in ("below_null", "correlation"):
            assert verdict(id, found) == "undecided", id


def test_a_single_group_leaves_none_to_judge_a_searched_head():
    found = tables(grouped(SLOPES, n_groups=1))
    for id in FROM_GROUPS:
        expected = "undecided" if id.startswith("localized") else "not applicable"
        assert verdict(id, found) == expected, id


def test_a_rank_that_groups_lack_counts_where_it_occurs():
    groups = grouped(SLOPES)
    groups = groups[(groups["rank"] < N_RANKS - 5) | (groups["group"] == 3)]
    found = rare_tokens.strength(tables(groups), AUTO, "localized", "sum")
    assert found.value == pytest.approx(-by_hand(groups, 1, 0))
    assert found.low <= found.value <= found.high


def test_a_lead_is_that_over_the_next_head():
    groups = grouped({(1, 0): 0.3, (1, 1): -3.0, (1, 2): -1.0})
    found = rare_tokens.lead(tables(groups), AUTO, "localized", "sum")
    others = min(by_hand(groups, 1, 1), by_hand(groups, 1, 2))
    assert found.value == pytest.approx(others - by_hand(groups, 1, 0))
