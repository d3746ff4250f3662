"""Figure and claim on when a paragraph was last seen, in streams where that decides, or does not."""

from itertools import pairwise

import pytest
from figure_labels import checked
from made_claims import judged
from made_recency import LENGTHS, MODEL, SETTINGS, tables

from memloc.figures import when_learned


def test_shares_are_those_of_paragraphs_seen_late_and_early():
    """A paragraph that is alone with its count is neither."""
    given = tables()
    given["paragraphs"].loc[7, "continuation_count"] = 9
    drawing = when_learned.draw(given, SETTINGS)
    assert "the model memorized 100.0 % of the" in checked("when_learned", drawing)
    data = drawing.data
    assert data["n"].sum() == 120 and [data["value"].iloc[0], data["value"].min()] == pytest.approx([1, 0])
    late, early, between = (drawing.numbers[name] for name in ("late", "early", "between"))
    assert [late.value, early.value] == pytest.approx([1, 0])
    assert late.n + early.n + between.n == 120 and between.n > 1


def test_equal_counts_are_one_group_and_a_bin_of_few_paragraphs_is_no_bin():
    given = tables(n=60)
    given["paragraphs"]["continuation_count"] = [4] * 10 + [7] * 30 + [11] * 20
    data = when_learned.draw(given, SETTINGS).data
    groups = data[["fewest", "most"]].drop_duplicates().to_numpy().tolist()
    assert all(one[1] < next[0] for one, next in pairwise(groups)) and data["low"].notna().all()


def test_pairs_of_equal_count_that_are_recited_at_random_decide_nothing():
    found = judged("recency", tables(late=False), paragraph=LENGTHS, model=MODEL)
    row = found.loc["recited_were_seen_later"]
    assert row["verdict"] == "too few" and row["n"] > 50 and abs(row["value"] - 0.5) < 0.1
    found = row["value"] * row["n"]
    assert abs(found - round(found)) > 1e-6, "the mean of draws, and not one of them"


def test_without_the_order_of_the_text_or_pairs_it_does_not_apply():
    given = tables()
    alone = given | {"sets": given["sets"].assign(set="memorized")}
    some = {name: rows for name, rows in given.items() if name != "training_stream"}
    for each in (alone, some):
        found = judged("recency", each, paragraph=LENGTHS, model=MODEL)
        assert set(found["verdict"]) == {"not applicable"}
