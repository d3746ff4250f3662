"""Claims on perturbed prefix tokens, on small tables whose verdicts are known."""

import numpy as np
import pandas as pd
import pytest
from made_claims import judged, spread, verdicts

N_PREFIX, FULL = 4, 10
LENGTHS = {"paragraph": {"prefix": N_PREFIX, "length": N_PREFIX + FULL}}
PREFIX = [5, 5, 6, 5]  # the third token is the rarest
ONE, EASIER, LATER = "one_token_costs_most", "non_memorized_easier", "later_matters_in_memorized"
FLUENT, MOST, RARE = "perturbed_are_fluent", "most_tokens_are_replaceable", "rare_tokens_cost_most"


def rows_of(group, drops, n, nll=1.0):
    """n paragraphs that lose these tokens by position; a third of them one more."""
    rows, first = [], 100 * (group != "memorized")
    for number in range(n):
        rows.append((first + number, group, -1, 0, FULL, nll))
        for position in range(N_PREFIX):
            em = FULL - min(drops[position] + (number % 3 == 0), FULL)
            rows += [(first + number, group, position, draw, em, nll + 1) for draw in (0, 1)]
    return pd.DataFrame(rows, columns=["id", "set", "position", "draw", "em", "nll_original"])


def tables(drops=(0, 0, 9, 5), others=(9, 9, 9, 9), new=0.5, n=30):
    rows = [rows_of("memorized", drops, n), rows_of("non_memorized", others, n)]
    ids = [*range(n), *range(100, 100 + n)]
    perturbed = pd.DataFrame({"id": range(n), "nll": new + spread(n, seed=3)})
    perturbed["tokens"] = [[*range(N_PREFIX), *range(20, 20 + FULL)]] * n
    continuation = [[*range(40, 40 + FULL)]] * n
    tokens = [np.array(PREFIX + [10 + id] * FULL) for id in ids]
    return {
        "perturbation": pd.concat(rows, ignore_index=True),
        "perturbed_paragraphs": perturbed,
        "sets": pd.DataFrame({"id": range(n), "set": "memorized", "continuation": continuation}),
        "paragraphs": pd.DataFrame({"id": ids, "tokens": tokens}),
    }


def test_what_the_paper_found_holds():
    found = judged("perturbation", tables(), **LENGTHS)
    expected = dict.fromkeys((ONE, EASIER, LATER, FLUENT, RARE), "holds") | {MOST: "does not hold"}
    assert found["verdict"].to_dict() == expected
    assert found.loc[ONE, "value"] == 1 and found.loc[EASIER, "value"] == pytest.approx(5.5, abs=1)
    assert found.loc[[LATER, RARE], "value"].tolist() == pytest.approx([100, 100]), "only the third costs"


@pytest.mark.parametrize(
    ("changes", "claim", "verdict"),
    [
        ({"others": (0, 0, 9, 5)}, EASIER, "no difference that matters"),
        ({"drops": (5, 0, 5, 9)}, LATER, "no difference that matters"),
        ({"drops": (3, 5, 4, 9)}, RARE, "no difference that matters"),  # rarer than one that costs more
        ({"drops": (0, 0, 0, 9)}, RARE, "not applicable"),  # nothing varies
    ],
)
def test_each_claim_fails_by_itself(changes, claim, verdict):
    assert verdicts("perturbation", tables(**changes), **LENGTHS)[claim] == verdict


def test_most_tokens_can_be_replaced_where_most_cost_nothing():
    given = tables(drops=(0, 0, 0, 9))
    rows = given["perturbation"]
    rows.loc[(rows["set"] == "memorized") & (rows["position"] < 3), "em"] = FULL
    rows.loc[rows["id"].isin(range(2)) & (rows["position"] == 0), "em"] = 9  # half is not most
    found = judged("perturbation", given, **LENGTHS).loc[MOST]
    assert found["verdict"] == "holds" and found["value"] == pytest.approx(28 / 30)


def test_a_continuation_that_holds_half_of_the_memorized_one_is_not_new():
    """The memory comes out late, and is likely: alone, the others are not."""
    given = tables(new=1.6)
    perturbed = given["perturbed_paragraphs"]
    late = [*range(N_PREFIX + FULL // 2), *range(40, 40 + FULL // 2)]
    perturbed["tokens"] = [late] * 20 + perturbed["tokens"].tolist()[20:]
    perturbed.loc[:19, "nll"] = 0.01
    found = judged("perturbation", given, **LENGTHS).loc[FLUENT]
    assert found["verdict"] == "does not hold" and found["n"] == 10
    rows = given["perturbation"]
    few = given | {"perturbation": rows[~rows["id"].isin(range(12))]}
    assert judged("perturbation", few, **LENGTHS).loc[EASIER, "n"] == 18, "pairs of the smaller group"
    perturbed["tokens"] = [late] * 30
    assert verdicts("perturbation", given, **LENGTHS)[FLUENT] == "not applicable"


def test_without_changed_continuations_none_is_fluent():
    given = tables()
    given["perturbed_paragraphs"] = given["perturbed_paragraphs"].iloc[:0]
    found = verdicts("perturbation", given, **LENGTHS)
    assert found[FLUENT] == "not applicable" and found[EASIER] == "holds"


def paired(n=12, drops=(1, 5), missing=()):
    """n pairs whose memorized paragraph loses the first number of tokens, and the other the second."""
    by_group = zip(("memorized", "non_memorized"), drops, strict=True)
    frames = [rows_of(group, (drop,) * 4, n) for group, drop in by_group]
    table = pd.concat(frames, ignore_index=True).query("id not in @missing")
    sets = pd.DataFrame({"id": [*range(n), *range(100, 100 + n), 200], "pair": [*range(n)] * 2 + [None]})
    sets["set"] = ["memorized"] * n + ["partly_11_29"] * n + ["memorized"]
    return {"perturbation": table, "sets": sets.astype({"pair": "Int64"})}


@pytest.mark.parametrize(
    ("changes", "verdict", "value"),
    [
        ({"drops": (3, 1)}, "no difference that matters", -2),
        ({"n": 5}, "too few", 4),
        ({"missing": [*range(5), *range(104, 109)]}, "too few", 4),  # three whole pairs are left
        ({"missing": range(100, 120)}, "not applicable", None),
    ],
)
def test_other_paragraphs_are_disturbed_more_at_equal_exposure(changes, verdict, value):
    found = judged("paired_perturbation", paired(**changes)).loc["others_are_disturbed_more"]
    assert (found["verdict"], found["value"]) == (verdict, pytest.approx(value))
