"""Claims on ways to remove, on made-up tables with known verdicts."""

import pandas as pd
import pytest

from memloc.claims.evaluate import evaluate
from memloc.claims.registry import topics
from memloc.settings.sections import sections

SETTINGS = sections({"paragraph": {"prefix": 50, "length": 100}})
KEPT = {"nothing": 50, "top": 5, "all": 4, "gradient_ascent": 0, "ngram_blocklist": 6}
KEPT |= {"neurons_hard_concrete": 10, "neurons_zero_out": 30, "neurons_integrated_gradients": 30}


def tables(n=8, kept=None, own=None, edits=None, recited=0.0):
    """Ways keep these tokens of removed paragraphs and of own continuations, a little more or less."""
    kept = KEPT | (kept or {})
    own = dict.fromkeys(kept, 40) | {"top": 45} | (own or {})
    edits = dict.fromkeys(kept, 0.9) | {"ngram_blocklist": 0.4} | (edits or {})
    removal = [
        {
            "way": way,
            "setting": "share 0.1",
            "mode": mode,
            "id": number,
            "em": tokens + number % 2,
            "edit_distance": edits[way],
        }
        | dict.fromkeys(("recited_perturbed", "recited_shifted"), recited * (1 + number % 2))
        for way, tokens in kept.items()
        for mode in ("joint", "single")
        for number in range(n if mode == "joint" else 2)
    ]
    damage = [
        {"way": way, "mode": "joint", "group": group, "id": number, "em": own[way] - number % 3}
        for way in kept
        for group in ("memorized", "non_memorized")
        for number in range(n)
    ]
    return {"removal": pd.DataFrame(removal), "removal_damage": pd.DataFrame(damage)}


def judged(given):
    """Of the columns that the registry names."""
    topic = topics()["removal"]
    read = {name: rows[list(topic.tables[name])] for name, rows in given.items()}
    return evaluate(topic, read, SETTINGS, {"model": "any", "data": "embedded"}).set_index("id")


def test_what_the_works_say_holds_where_it_is_so():
    found = judged(tables(recited=0.3))
    assert set(found["verdict"]) == {"holds"}
    assert found.loc["removal_masks_over_zeroing", "value"] == pytest.approx(20)
    assert found.loc["removal_blocklist_stays_near", "value"] == pytest.approx(0.5)
    assert found.loc["removal_other_prefixes", "value"] == pytest.approx(0.45)


@pytest.mark.parametrize(
    ("changes", "claim"),
    [
        ({"kept": {"top": 20}}, "removal_top_as_well_as_all"),
        ({"own": {"top": 30}}, "removal_top_spares_more"),
        ({"kept": {"neurons_hard_concrete": 40}}, "removal_masks_over_zeroing"),
        ({"edits": {"ngram_blocklist": 0.95}}, "removal_blocklist_stays_near"),
        ({"recited": 0.0}, "removal_other_prefixes"),
    ],
)
def test_and_does_not_where_it_is_not(changes, claim):
    assert judged(tables(**changes)).loc[claim, "verdict"] == "does not hold"


def test_a_way_that_removes_little_is_no_evidence_that_it_spares_others():
    found = judged(tables(kept={"top": 40}, recited=0.3)).loc["removal_top_spares_more"]
    assert found["verdict"] == "undecided" and "what does little harms little" in found["reason"]


def test_neurons_are_compared_at_equal_shares():
    given = tables()
    other = given["removal"]["way"] == "neurons_zero_out"
    given["removal"].loc[other, "setting"] = "share 0.2"
    found = judged(given)
    assert found.loc["removal_masks_over_zeroing", "verdict"] == "undecided"
    assert "one has share 0.1, the other share 0.2" in found.loc["removal_masks_over_zeroing", "reason"]
    assert found.loc["removal_masks_over_integrated", "verdict"] == "holds"


@pytest.mark.parametrize("n", [1, 2, 5])
def test_few_paragraphs_decide_nothing(n):
    assert set(judged(tables(n=n, recited=0.3))["verdict"]) == {"undecided"}


def test_ways_that_do_the_same_are_as_good_and_no_better():
    same = dict.fromkeys(KEPT, 5) | {"nothing": 50}
    found = judged(tables(kept=same, own=dict.fromkeys(KEPT, 40), edits=dict.fromkeys(KEPT, 0.9)))["verdict"]
    assert found.pop("removal_top_as_well_as_all") == "holds" and set(found) == {"does not hold"}


def test_ways_that_remove_nothing_cannot_be_compared():
    """Else the top weights would forget no less than all weights, which is nothing."""
    found = judged(tables(kept=dict.fromkeys(KEPT, 50), edits=dict.fromkeys(KEPT, 0.0)))
    forget = ["removal_top_as_well_as_all", "removal_masks_over_zeroing", "removal_masks_over_integrated"]
    assert set(found.loc[forget, "verdict"]) == {"not applicable"}
    assert found.loc[forget[0], "reason"] == "neither top nor all makes the model forget anything"
    assert set(found["verdict"]) <= {"not applicable", "does not hold", "undecided"}


def test_a_way_forgets_more_than_one_that_forgets_nothing():
    found = judged(tables(kept={"neurons_zero_out": 50})).loc["removal_masks_over_zeroing"]
    assert (found["verdict"], found["value"]) == ("holds", 40)


@pytest.mark.parametrize("idle", ["all", "ngram_blocklist"])
def test_the_paragraph_itself_is_no_text_that_stays_near_it(idle):
    """A way that removes nothing writes the paragraph: its distance of zero says nothing of the other way."""
    found = judged(tables(kept={idle: 49}, edits={idle: 0.0})).loc["removal_blocklist_stays_near"]
    assert (found["verdict"], found["reason"]) == ("not applicable", f"{idle} makes the model forget nothing")


def test_a_way_that_removes_two_tokens_of_fifty_removes_something():
    found = judged(tables(kept={"all": 48})).loc["removal_blocklist_stays_near"]
    assert found["verdict"] == "holds"


def test_ways_that_were_not_run_and_paragraphs_that_stay():
    assert set(judged({})["verdict"]) == {"not applicable"}
    without = {name: rows[rows["way"] != "top"] for name, rows in tables(recited=0.3).items()}
    found = judged(without)
    assert found.loc["removal_top_spares_more", "reason"] == "top was not run: see remove.ways"
    assert found.loc["removal_masks_over_zeroing", "verdict"] == "holds"
    whole = tables()
    whole["removal"].loc[whole["removal"]["way"] == "top", "em"] = 50
    assert judged(whole).loc["removal_other_prefixes", "verdict"] == "not applicable"


@pytest.mark.parametrize(("left", "verdict"), [(25, "holds"), (26, "undecided")])
def test_half_of_the_continuation_must_be_forgotten_before_it_counts_what_that_cost(left, verdict):
    """Of 50 tokens; the model as it is keeps as many of them more as the way does."""
    assert judged(tables(kept={"top": left})).loc["removal_top_spares_more", "verdict"] == verdict


def test_only_paragraphs_that_are_gone_can_come_back():
    """Two of ten are still recited, from any prefix: they say nothing of the others, which are gone."""
    given = tables(n=10)
    rows = given["removal"]
    stays = (rows["way"] == "top") & rows["id"].isin([2, 5])
    rows.loc[stays, ["em", "recited_perturbed", "recited_shifted"]] = [50, 1.0, 1.0]
    found = judged(given).loc["removal_other_prefixes"]
    assert (found["value"], found["n"], found["verdict"]) == (0, 8, "does not hold")


def test_other_prefixes_are_perturbed_and_shifted_ones_alike():
    given = tables(n=8)
    given["removal"]["recited_shifted"] = 0.6
    assert judged(given).loc["removal_other_prefixes", "value"] == pytest.approx(0.3)


def test_what_ways_do_to_memorized_text_is_no_evidence_of_what_they_spare():
    given = tables()
    damage = given["removal_damage"]
    damage.loc[(damage["group"] == "memorized") & (damage["way"] == "top"), "em"] = 0
    assert judged(given).loc["removal_top_spares_more", "value"] == pytest.approx(5)


def test_damage_is_that_of_removing_together():
    given = tables()
    single = given["removal_damage"].assign(mode="single", em=0)
    given["removal_damage"] = pd.concat([given["removal_damage"], single])
    assert judged(given).loc["removal_top_spares_more", "value"] == pytest.approx(5)
