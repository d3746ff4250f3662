"""Claims on sets, repeats, sampling and detection, on small tables whose verdicts are known."""

import numpy as np
import pandas as pd
import pytest
from made_claims import judged, verdicts


def scored(**sizes):
    """Paragraphs of these sets."""
    names = np.repeat(list(sizes), list(sizes.values()))
    return {"sets": pd.DataFrame({"id": range(len(names)), "set": names})}


@pytest.mark.parametrize(
    ("memorized", "most", "verdict", "value"),
    [
        (300, 310, "no difference that matters", 300 / 610),
        (20, 20, "too few", 0.5),
        (0, 0, "not applicable", None),
    ],
)
def test_most_that_match_in_three_fifths_match_in_all_or_not(memorized, most, verdict, value):
    tables = scored(memorized=memorized, partly_30_49=most, non_memorized=50)
    found = judged("scores", tables).loc["complete_or_not"]
    assert (found["verdict"], found["value"]) == (verdict, pytest.approx(value))


def placed(recited):
    """Each paragraph at six places, and the first few of them where it is recited."""
    far = [("text", 60, 0), ("text", 50, 1)]
    places = [*far, ("text", 49, 0), ("end_of_text", 1, 0), ("shifted", 60, 0), ("start", 0, 0)]
    rows = [
        ("memorized", id, context, n_before, draw, 50 if place < n else 49)
        for id, n in enumerate(recited)
        for place, (context, n_before, draw) in enumerate(places)
    ]
    columns = ["group", "id", "context", "n_before", "draw", "em"]
    return {"positions": pd.DataFrame([*rows, ("unseen", 99, "text", 10, 0, 0)], columns=columns)}


def test_each_paragraph_counts_at_one_random_place_after_as_much_text_as_a_prefix():
    """Of 400 paragraphs, all are recited after one of two texts. Nearer places do not count, nor position ids
    that are shifted alone."""
    found = judged("positions", placed([1] * 400)).loc["recited_wherever_they_stand"]
    assert found["n"] == 400 and found["value"] == pytest.approx(1 / 2, abs=0.07)


def test_a_model_without_room_cannot_be_asked():
    alone = {"positions": placed([6] * 20)["positions"].query("n_before < 50")}
    assert verdicts("positions", alone)["recited_wherever_they_stand"] == "not applicable"


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


@pytest.mark.parametrize(
    ("given", "verdict", "value"),
    [
        ({4: (500, 1000), 64: (500, 1000)}, "no difference that matters", 0.5),
        ({1: (0, 50), 4: (0, 50), 64: (0, 50)}, "not applicable", None),
        ({1: (9, 9), 2: (0, 20), 7: (10, 10)}, "holds", 1),  # twice is repeated, once is not
        ({4: (0, 30), 8: (20, 20)}, "holds", 1),  # the median itself is seldom
        ({1: (0, 50), 4: (0, 2), 9: (2, 2)}, "too few", 1),
    ],
)
def test_more_repeats_more_memorized(given, verdict, value):
    found = judged("repeats", repeated(given)).iloc[0]
    assert (found["verdict"], found["value"]) == (verdict, pytest.approx(value, abs=0.06))


def test_held_out_paragraphs_have_no_part_in_repeats():
    tables = repeated({4: (0, 30), 8: (20, 20), 9: (0, 30)})
    tables["sets"].loc[tables["paragraphs"]["count"] == 9, "set"] = "held_out"
    assert judged("repeats", tables).iloc[0]["value"] == 1


def test_repeats_that_are_all_the_same_and_those_of_the_continuation():
    assert set(verdicts("repeats", repeated({4: (3, 50)})).values()) == {"not applicable"}
    tables = repeated({1: (0, 90), 2: (20, 40)}, continuation=[5] * 90 + [2] * 20 + [9] * 20)
    found = judged("repeats", tables).iloc[0]  # paragraphs that lie whole in the text once do not count
    assert found[["verdict", "n"]].tolist() == ["does not hold", 20]


UNSEEN = "seen_come_out_more_than_unseen"
LIKELY, RARE = np.log(0.5), np.log(1e-12)  # within 1,000 draws, and not


def sampled(*groups):
    """Groups of (paragraphs, count, of these extractable)."""
    rows = [(count, LIKELY if number < n_out else RARE) for n, count, n_out in groups for number in range(n)]
    data = pd.DataFrame(rows, columns=["count", "log_p"]).rename_axis("id").reset_index()
    return {
        "extraction": data[["id", "log_p"]],
        "sets": data[["id"]].assign(set=np.where(data["count"] == 0, "unseen", "non_memorized")),
        "paragraphs": data[["id", "count"]].assign(continuation_count=None, file=data["id"].astype(str)),
    }


@pytest.mark.parametrize(
    ("groups", "verdict", "value"),
    [
        ([(200, 1, 10), (30, 4, 10), (30, 64, 29), (80, 0, 0)], "holds", 1),
        ([(1000, 4, 500), (1000, 0, 500)], "no difference that matters", 0.5),
        ([(40, 2, 40), (40, 1, 0), (40, 0, 20)], "holds", 1),  # twice is repeated, once is not
        ([(40, 4, 10), (40, 64, 20)], "not applicable", None),
    ],
)
def test_sampling(groups, verdict, value):
    found = judged("extraction", sampled(*groups)).loc[UNSEEN]
    assert (found["verdict"], found["value"]) == (verdict, pytest.approx(value, abs=0.05))


def test_text_of_one_file_counts_once():
    tables = sampled((40, 4, 40), (40, 0, 0))
    tables["paragraphs"]["file"] = np.where(tables["paragraphs"]["count"] > 0, "seen", "unseen")
    found = judged("extraction", tables).loc[UNSEEN]
    assert (found["n"], found["verdict"]) == (1, "too few")


SHOWS = "recitation_shows_in_the_prefix"


def detected(nll):
    """Pairs that the NLL tells, of how many; other features, prefixes and strata tell all."""
    rows = []
    for n_seen, stratum in ((5, "all"), (50, "all"), (50, "boundary")):
        for features in ("nll", "residual"):
            n_right, n_pairs = nll if (features, n_seen, stratum) == ("nll", 50, "all") else (99, 99)
            counts = {"n_pairs": n_pairs, "n_right": n_right, "n_seen": n_seen}
            rows.append({"features": features, "stratum": stratum, **counts})
    return {"detection": pd.DataFrame(rows)}


@pytest.mark.parametrize(
    ("nll", "expected"), [((500, 1000), "no difference that matters"), ((0, 0), "not applicable")]
)
def test_detection_follows_the_pairs_of_equal_count_at_the_whole_prefix(nll, expected):
    assert verdicts("detection", detected(nll)) == {SHOWS: expected}


def test_detection_without_a_stratum_does_not_apply():
    empty = {"detection": detected((40, 45))["detection"].iloc[:0]}
    assert set(verdicts("detection", empty).values()) == {"not applicable"}
