"""Claims on perturbed prefix tokens, on small tables whose verdicts are known."""

import numpy as np
import pandas as pd
import pytest
from made_claims import judged, spread, verdicts
from made_tables import crossed

N_PREFIX, FULL = 4, 10
LENGTHS = {"paragraph": {"prefix": N_PREFIX, "length": N_PREFIX + FULL}}
ONE, EASIER, LATER, FLUENT, MOST, FEW = (
    "one_token_costs_most",
    "non_memorized_easier",
    "later_matters_in_memorized",
    "perturbed_are_fluent",
    "most_tokens_are_replaceable",
    "few_tokens_suffice",
)


def rows_of(group, em, rises, n, nll=1.0):
    """n paragraphs with these exact matches and rises of the NLL by position; spread: a tenth of a nat."""
    rows, first = [], 100 * (group != "memorized")
    noise = spread(n * N_PREFIX, seed=first).reshape(n, N_PREFIX)
    for number in range(n):
        own = nll + spread(n, seed=first + 1)[number]
        rows.append((first + number, group, -1, 0, FULL, own))
        for position in range(N_PREFIX):
            risen = own + rises[position] + noise[number, position]
            rows.append((first + number, group, position, 0, em[position], risen))
            rows.append((first + number, group, position, 1, 0, risen))  # a second draw costs everything
    return pd.DataFrame(rows, columns=["id", "set", "position", "draw", "em", "nll_original"])


def tables(em=(10, 10, 1, 10), rises=(1, 1, 3, 3), others=(4, 4, 4, 4), new=0.5, n=30, recited=28):
    rows = [rows_of("memorized", em, rises, n), rows_of("non_memorized", (5,) * 4, others, n)]
    perturbed = pd.DataFrame({"id": range(n), "nll": new + spread(n, seed=3)})
    perturbed["tokens"] = [[*range(N_PREFIX), *range(20, 20 + FULL)]] * n
    return {
        "perturbation": pd.concat(rows, ignore_index=True),
        "perturbed_paragraphs": perturbed,
        "sets": pd.DataFrame({"id": range(n), "continuation": [[*range(40, 40 + FULL)]] * n}),
        "kept_tokens": kept_tokens(n, recited),
    }


def kept_tokens(n, n_recited):
    """One kept token, all that is few of four, recites the first paragraphs; two recite all."""
    rows = crossed(id=range(n), kept=["costliest", "random"], n_kept=[1, 2], draw=[0, 1])
    few = (rows["kept"] == "costliest") & (rows["n_kept"] == 1) & (rows["draw"] == 0)
    return rows.assign(em=np.where(few & (rows["id"] >= n_recited), FULL - 1, FULL))


def found_in(**changes):
    return verdicts("perturbation", tables(**changes), **LENGTHS)


def test_what_the_paper_found_holds():
    found = judged("perturbation", tables(), **LENGTHS)
    expected = dict.fromkeys((ONE, EASIER, LATER, FLUENT, FEW), "holds") | {MOST: "does not hold"}
    assert found["verdict"].to_dict() == expected, "the second draw spares nothing"
    assert found.loc[ONE, "value"] == 1 and found.loc[EASIER, "value"] == pytest.approx(2, abs=0.1)
    assert found.loc[LATER, "value"] == pytest.approx(2, abs=0.1)  # the third token less the first


@pytest.mark.parametrize(
    ("changes", "claim"),
    [
        ({"em": (10, 10, 2, 0)}, ONE),  # the last token does not count, nor do eight of ten tokens
        ({"others": (1, 1, 1, 1)}, EASIER),
        ({"rises": (3, 3, 1, 3)}, LATER),
        ({"new": 1.6}, FLUENT),
        ({"recited": 2}, FEW),
    ],
)
def test_each_claim_fails_by_itself(changes, claim):
    assert found_in(**changes)[claim] == "does not hold" and found_in()[claim] == "holds"


def test_most_tokens_can_be_replaced_where_most_cost_nothing():
    given = tables(em=(10, 10, 10, 1))
    given["perturbation"] = given["perturbation"].query("draw == 0")
    rows = given["perturbation"]
    rows.loc[rows["id"].isin(range(5)) & (rows["position"] == 0), "em"] = 9  # half is not most
    found = judged("perturbation", given, **LENGTHS).loc[MOST]
    assert found["verdict"] == "holds" and found["value"] == pytest.approx(25 / 30)


def test_a_continuation_that_holds_half_of_the_memorized_one_is_not_new():
    """The memory comes out late, and is likely: alone, the others are not."""
    given = tables(new=1.6)
    perturbed = given["perturbed_paragraphs"]
    late = [*range(N_PREFIX + FULL // 2), *range(40, 40 + FULL // 2)]
    perturbed["tokens"] = [late] * 20 + perturbed["tokens"].tolist()[20:]
    perturbed.loc[:19, "nll"] = 0.01
    found = judged("perturbation", given, **LENGTHS).loc[FLUENT]
    assert found["verdict"] == "does not hold" and (found["n"], found["n_other"]) == (10, 30)
    rows = given["perturbation"]
    few = given | {"perturbation": rows[~rows["id"].isin(range(12))]}
    found = judged("perturbation", few, **LENGTHS).loc[EASIER]
    assert (found["n"], found["n_other"]) == (18, 30), "both groups, the smaller one first"
    perturbed["tokens"] = [late] * 30
    assert verdicts("perturbation", given, **LENGTHS)[FLUENT] == "not applicable"


def test_few_paragraphs_decide_nothing():
    assert set(found_in(n=5).values()) == {"undecided"}
    assert found_in(n=7)[LATER] == "undecided", "too few for means"


def test_without_nlls_or_changed_continuations_their_claims_do_not_apply():
    given = tables()
    rows = given["perturbation"]
    rows.loc[rows["position"] >= 0, "nll_original"] = np.nan
    given["perturbed_paragraphs"] = given["perturbed_paragraphs"].iloc[:0]
    found = verdicts("perturbation", given, **LENGTHS)
    nothing = (EASIER, LATER, FLUENT, "few_tokens_suffice")
    assert [found[name] for name in (*nothing, ONE)] == ["not applicable"] * 4 + ["holds"]


def paired(n=12, rises=(1, 2), missing=()):
    """n pairs whose memorized paragraph's NLL rises by the first of these, and the other's by the second."""
    by_group = zip(("memorized", "non_memorized"), rises, strict=True)
    frames = [rows_of(group, (5,) * 4, (rise,) * 4, n) for group, rise in by_group]
    table = pd.concat(frames, ignore_index=True).query("id not in @missing")
    sets = pd.DataFrame({"id": [*range(n), *range(100, 100 + n), 200], "pair": [*range(n)] * 2 + [None]})
    sets["set"] = ["memorized"] * n + ["partly_11_29"] * n + ["memorized"]
    return {"perturbation": table, "sets": sets.astype({"pair": "Int64"})}


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({}, "holds"),
        ({"rises": (2, 1)}, "does not hold"),
        ({"rises": (1, 1)}, "undecided"),
        ({"n": 7}, "undecided"),
        ({"missing": [*range(5), *range(104, 109)]}, "undecided"),  # three whole pairs are left
        ({"missing": range(100, 120)}, "not applicable"),
    ],
)
def test_other_paragraphs_are_disturbed_more_at_equal_exposure(changes, verdict):
    found = judged("paired_perturbation", paired(**changes)).loc["others_are_disturbed_more"]
    assert found["verdict"] == verdict


def test_the_difference_at_equal_exposure_is_the_mean_over_pairs():
    given = paired()
    rows = given["perturbation"].query("position >= 0").groupby("id")["nll_original"].mean()
    own = given["perturbation"].query("position < 0").set_index("id")["nll_original"]
    rises = rows - own
    expected = np.mean([rises[100 + pair] - rises[pair] for pair in range(12)])
    found = judged("paired_perturbation", given).iloc[0]
    assert found["value"] == pytest.approx(expected) and found["n"] == 12
    rows = given["perturbation"]
    rows.loc[rows["position"] >= 0, "nll_original"] = np.nan
    assert verdicts("paired_perturbation", given) == {"others_are_disturbed_more": "not applicable"}
