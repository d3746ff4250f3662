"""Claims on data, scores and repeats, on small tables whose verdicts are known."""

import numpy as np
import pandas as pd
import pytest
from made_settings import changed

from memloc.claims.estimators.scores import below_others
from memloc.claims.evaluate import evaluate
from memloc.claims.registry import topics
from memloc.data.sets import assign_sets
from memloc.settings.sections import sections

SETTINGS = sections(
    {
        "paragraph": {"prefix": 50, "length": 100},
        "sets": {"split_by": "em"},
        "expected": {"filter": "reference"},
    }
)
ABOUT = {"model": "any", "data": "embedded"}
GPT_NEO = {"model": "EleutherAI/gpt-neo-125m", "data": "release"}


def judged(topic, tables, about=ABOUT, settings=SETTINGS):
    return evaluate(topics()[topic], tables, settings, about).set_index("id")


def scored(ems, nll=None, dropped=()):
    em = np.repeat(list(ems), list(ems.values()))
    random = np.random.default_rng(0)
    nll = 3 - em / 20 + 0.1 * random.normal(size=len(em)) if nll is None else nll
    scores = pd.DataFrame({"id": range(len(em)), "em": em, "nll": nll})
    sets = pd.DataFrame({"id": scores["id"], "set": assign_sets(scores["em"], 50)})
    return {
        "scores": scores,
        "sets": sets,
        "dropped_reference": pd.DataFrame({"id": list(dropped)}, dtype="int64"),
    }


def verdicts(topic, tables, about=ABOUT):
    return judged(topic, tables, about)["verdict"].to_dict()


def test_two_clusters_that_lie_apart():
    found = judged("scores", scored({0: 400, 20: 4, 30: 5, 50: 60}))
    general = found[found["verdict"] != "not applicable"]
    assert set(general["verdict"]) == {"holds"} and len(general) == 4
    assert general.loc["two_clusters", "value"] == pytest.approx(460 / 469)
    assert general.loc["complete_or_not", ["value", "n"]].tolist() == [60 / 65, 65]
    assert general.loc["memorized_nll_is_lower", "value"] == pytest.approx(2.5, abs=0.05)
    assert general.loc["memorized_nll_is_apart", ["value", "n"]].tolist() == [1, 60]


def test_controls_are_in_neither_cluster():
    tables = scored({0: 400, 30: 5, 50: 60})
    ids = range(1000, 1300)
    tables["scores"] = pd.concat([tables["scores"], pd.DataFrame({"id": ids, "em": 0, "nll": 3.0})])
    tables["sets"] = pd.concat([tables["sets"], pd.DataFrame({"id": ids, "set": "unseen"})])
    pd.testing.assert_frame_equal(judged("scores", tables), judged("scores", scored({0: 400, 30: 5, 50: 60})))


def test_sets_that_overlap_are_not_apart():
    """A tenth of the others has a lower NLL than any memorized paragraph."""
    nll = [*[1.0] * 40, *[5.0] * 360, *[2.0] * 50]
    found = judged("scores", scored({0: 400, 50: 50}, nll=np.array(nll))).loc["memorized_nll_is_apart"]
    assert (found["verdict"], found["value"]) == ("does not hold", 0)


def test_memorized_paragraphs_are_counted_below_a_quantile_of_the_others():
    """A quarter of the others has an NLL of up to 26; of ten memorized paragraphs, 21 to 30, five less."""
    tables = scored({0: 101, 50: 10}, nll=[*range(1, 102), *range(21, 31)])
    found = below_others(tables, SETTINGS, quantile=0.25)
    assert (found.value, found.n) == (0.5, 10)


def test_exact_matches_without_clusters():
    found = verdicts("scores", scored(dict.fromkeys(range(51), 10)))
    assert found["two_clusters"] == found["complete_or_not"] == "does not hold"
    assert found["memorized_nll_is_lower"] == "holds"


def test_an_nll_that_is_the_same_or_the_other_way_round():
    ems = {0: 400, 50: 60}
    found = verdicts("scores", scored(ems, nll=1.0))
    assert found["memorized_nll_is_lower"] == found["memorized_nll_is_apart"] == "does not hold"
    found = verdicts("scores", scored(ems, nll=np.repeat([1.0, 2.0], [400, 60]) + np.arange(460) / 1e4))
    assert found["memorized_nll_is_lower"] == "does not hold"


@pytest.mark.parametrize("n", [1, 2, 5])
def test_few_memorized_paragraphs_decide_nothing_about_nll(n):
    found = verdicts("scores", scored({0: 400, 50: n}))
    assert found["memorized_nll_is_lower"] == found["memorized_nll_is_apart"] == "undecided"
    assert found["complete_or_not"] == "undecided"


@pytest.mark.parametrize("n", [1, 2, 5])
def test_few_paragraphs_decide_nothing(n):
    assert set(verdicts("scores", scored({0: n, 50: n})).values()) == {"undecided", "not applicable"}
    assert verdicts("scores", scored({50: n}))["two_clusters"] == "undecided"


def test_without_a_memorized_paragraph_there_is_nothing_to_judge():
    assert set(verdicts("scores", scored({0: 40})).values()) == {"not applicable"}
    found = verdicts("scores", scored({50: 40}))
    assert found["memorized_nll_is_lower"] == "not applicable" and found["complete_or_not"] == "holds"


def test_published_sizes_are_those_of_the_authors_filter():
    sizes = {0: 12_422, 20: 436, 40: 141, 50: 442}
    more = scored({0: 12_422 + 30, 20: 436, 40: 141, 50: 442}, dropped=range(30))
    more["sets"] = more["sets"].drop(index=range(12_000, 12_900))  # of another filter
    names = ["n_memorized", "n_non_memorized", "n_partly_11_29", "n_partly_30_49"]
    assert judged("scores", more, GPT_NEO).loc[names, "verdict"].tolist() == ["holds"] * 4
    found = judged("scores", more, GPT_NEO).loc[names, ["value", "published"]]
    assert found["value"].tolist() == found["published"].tolist()
    one_less = scored(sizes, dropped=[13_000])
    assert verdicts("scores", one_less, GPT_NEO)["n_memorized"] == "does not hold"
    assert judged("scores", more).loc[names, "verdict"].tolist() == ["not applicable"] * 4


@pytest.mark.parametrize("paragraph", [{"length": 150, "prefix": 50}, {"length": 100, "prefix": 60}])
def test_published_sizes_are_those_of_the_published_paragraphs(paragraph):
    """The same model on paragraphs of other lengths recites others."""
    longer = changed(SETTINGS, paragraph=paragraph)
    found = judged("scores", scored({0: 12_422, 20: 436, 40: 141, 50: 442}), GPT_NEO, longer)
    assert found.loc["n_memorized", "verdict"] == "not applicable"


def test_published_sizes_need_the_scores_of_all_that_the_authors_filter_keeps():
    """Scores are of the study's own filter, where `expected.filter` does not ask for the authors' as well."""
    own = changed(SETTINGS, expected={"filter": "run"})
    found = judged("scores", scored({0: 12_422, 20: 436, 40: 141, 50: 442}), GPT_NEO, own)
    names = ["n_memorized", "n_non_memorized", "n_partly_11_29", "n_partly_30_49"]
    assert found.loc[names, "verdict"].tolist() == ["not applicable"] * 4
    assert "expected.filter" in found.loc["n_memorized", "reason"]


def test_sets_made_by_nll_say_nothing_of_nll():
    by_nll = changed(SETTINGS, sets={"split_by": "nll"})
    found = judged("scores", scored({0: 400, 50: 60}), settings=by_nll)["verdict"]
    assert found["memorized_nll_is_lower"] == found["memorized_nll_is_apart"] == "not applicable"
    assert found["two_clusters"] == found["complete_or_not"] == "holds"  # sizes are the same


def test_the_published_data():
    counts = np.full(13_460, 7)
    counts[[0, 100]] = 50_000, 40_382
    paragraphs = pd.DataFrame({"id": np.arange(13_460), "count": counts})
    tables = {"paragraphs": paragraphs, "dropped_reference": pd.DataFrame({"id": range(10)})}
    assert verdicts("data", tables, GPT_NEO) == {"n_paragraphs": "holds", "most_frequent": "holds"}
    tables["dropped_reference"] = pd.DataFrame({"id": range(1, 10)})
    assert set(verdicts("data", tables, GPT_NEO).values()) == {"does not hold"}
    assert set(verdicts("data", tables).values()) == {"not applicable"}
    tables["dropped_reference"] = pd.DataFrame({"id": range(13_460)})
    assert verdicts("data", tables, GPT_NEO)["most_frequent"] == "not applicable"


def repeated(memorized_by_repeats, continuation=None):
    """`{repeats: (n memorized, n)}`"""
    rows = [
        (repeats, "memorized" if i < n_memorized else "non_memorized")
        for repeats, (n_memorized, n) in memorized_by_repeats.items()
        for i in range(n)
    ]
    frame = pd.DataFrame(rows, columns=["count", "set"]).rename_axis("id").reset_index()
    frame["continuation_count"] = pd.array(continuation or [None] * len(frame), "Int64")
    return {"paragraphs": frame[["id", "count", "continuation_count"]], "sets": frame[["id", "set"]]}


ALL, REPEATED = "more_repeats_more_memorized", "more_repeats_more_memorized_of_repeated"


def test_more_repeats_more_memorized():
    found = judged("repeats", repeated({1: (0, 200), 4: (2, 30), 64: (25, 30)}))
    assert found["verdict"].to_dict() == {ALL: "holds", REPEATED: "holds"}
    assert found.loc[ALL, ["value", "n"]].tolist() == [27 / 60, 60]
    assert found.loc[REPEATED, ["value", "n"]].tolist() == [pytest.approx(23 / 30), 30]


def test_repeats_that_change_nothing_or_the_wrong_way():
    nothing = verdicts("repeats", repeated({1: (0, 50), 4: (0, 50), 64: (0, 50)}))
    assert nothing == {ALL: "undecided", REPEATED: "undecided"}
    wrong = verdicts("repeats", repeated({1: (50, 50), 4: (40, 50), 64: (5, 50)}))
    assert wrong == {ALL: "does not hold", REPEATED: "does not hold"}


def test_repeats_that_are_all_the_same():
    found = judged("repeats", repeated({1: (3, 50)}))
    assert set(found["verdict"]) == {"not applicable"}
    assert set(found["reason"]) == {"no paragraph occurs more often than the median"}


@pytest.mark.parametrize("n", [1, 2])
def test_few_repeats_decide_nothing(n):
    few = verdicts("repeats", repeated({1: (0, 50), 4: (0, n), 9: (n, n)}))
    assert few == {ALL: "undecided", REPEATED: "undecided"}


def test_repeats_are_those_of_the_continuation():
    tables = repeated({1: (20, 40)}, continuation=[9] * 20 + [1] * 20)
    assert verdicts("repeats", tables) == {ALL: "holds", REPEATED: "not applicable"}


def test_two_repeats_are_repeated_and_one_is_not():
    found = judged("repeats", repeated({1: (9, 9), 2: (1, 20), 7: (9, 10)}))
    assert found.loc[REPEATED, ["value", "n"]].tolist() == [pytest.approx(9 / 10 - 1 / 20), 10]


def test_repeats_above_half_of_the_paragraphs_are_often():
    """Thirty of 50 have 4 repeats, which is the median: these are seldom, and the twenty others are not."""
    found = judged("repeats", repeated({4: (3, 30), 8: (10, 20)}))
    assert found.loc[ALL, ["value", "n"]].tolist() == [pytest.approx(10 / 20 - 3 / 30), 20]


def test_the_largest_count_is_that_of_a_kept_paragraph():
    paragraphs = pd.DataFrame({"id": [3, 5, 9], "count": [7, 90, 40]})
    dropped = pd.DataFrame({"id": [5]})
    found = judged("data", {"paragraphs": paragraphs, "dropped_reference": dropped}, GPT_NEO)
    assert found[["value", "n"]].to_numpy().tolist() == [[2, 2], [40, 2]]
