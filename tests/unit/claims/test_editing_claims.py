"""Claims on edits, on made-up runs whose verdicts are known."""

import numpy as np
import pandas as pd
import pytest
from made_settings import changed as other_settings

from memloc.claims.evaluate import evaluate
from memloc.claims.registry import topics
from memloc.settings.base import Section
from memloc.settings.sections import sections

TOPIC = topics()["editing"]
SETTINGS = sections(
    {
        "paragraph": {"length": 100, "prefix": 50},
        "editing": {"learning_rates": [1e-3, 1e-5, 1e-2]},
        "sets": {"continuation": "model"},
    }
)
# Tokens that remain of the paragraph and of the controls, and that are said of the target.
PUBLISHED = {
    "unlearn": {"all": (2, 30, np.nan), "top": (1, 40, np.nan), "random": (50, 50, np.nan)},
    "edit": {"all": (20, 35, 30), "top": (21, 40, 31), "random": (50, 50, 4)},
}
ALL_CLAIMS = {claim.id for claim in TOPIC.claims}


def runs(tokens: dict = PUBLISHED, n: int = 8, **labels) -> pd.DataFrame:
    """Every paragraph differs from the mean a little, each arm in its own way; what is whole is whole."""
    rng, rows = np.random.default_rng(0), []
    for objective, arms in tokens.items():
        for arm, (memorized, control, target) in arms.items():
            for number in range(n):
                shift = rng.uniform(-0.4, 0.4)
                rows.append(
                    {"id": number, "objective": objective, "arm": arm, "learning_rate": 1e-3}
                    | {"reference": False, "em_memorized_before": 50.0, "em_control_before": 50.0}
                    | {"em_memorized": memorized + shift * (memorized < 50)}
                    | {"em_control": control + shift * (control < 50)}
                    | {"em_target": target + shift, "em_target_before": 4.0}
                    | labels
                )
    return pd.DataFrame(rows)


def judged(edits: pd.DataFrame, settings: Section = SETTINGS) -> pd.DataFrame:
    about = {"model": "tiny", "data": "embedded"}
    return evaluate(TOPIC, {"edits": edits}, settings, about).set_index("id")


def verdicts(edits: pd.DataFrame) -> dict[str, str]:
    return judged(edits)["verdict"].to_dict()


def changed(edits: pd.DataFrame, arm: str, objective: str = "unlearn", **columns) -> pd.DataFrame:
    rows = (edits["arm"] == arm) & (edits["objective"] == objective)
    edits = edits.copy()
    for name, values in columns.items():
        edits.loc[rows, name] = values
    return edits


def test_what_the_paper_found_holds():
    found = judged(runs())
    assert set(found.index) == ALL_CLAIMS and (found["verdict"] == "holds").all()
    assert (found["n"] == 8).all()
    values = found["value"].to_dict()
    assert values["top_unlearns_as_all"] == pytest.approx(1, abs=0.5)
    assert values["top_spares_controls"] == pytest.approx(10, abs=0.5)
    assert values["random_unlearns_nothing"] == values["random_harms_no_controls"] == 0
    assert values["top_edits_as_all"] == pytest.approx(-1, abs=0.5)
    assert values["top_writes_as_all"] == pytest.approx(1, abs=0.5)
    assert values["editing_is_harder"] == pytest.approx(19, abs=0.5)
    inside = (found["low"] <= found["value"]) & (found["value"] <= found["high"])
    assert inside.all()


@pytest.mark.parametrize(
    ("claim", "arm", "objective", "columns"),
    [
        ("top_unlearns_as_all", "top", "unlearn", {"em_memorized": 10}),
        ("top_spares_controls", "top", "unlearn", {"em_control": 20}),
        ("random_unlearns_nothing", "random", "unlearn", {"em_memorized": 44}),
        ("random_harms_no_controls", "random", "unlearn", {"em_control": 44}),
        ("random_edits_nothing", "random", "edit", {"em_memorized": 44}),
        ("top_edits_as_all", "top", "edit", {"em_memorized": 30}),
        ("top_writes_as_all", "top", "edit", {"em_target": 20}),
    ],
)
def test_each_claim_fails_by_itself(claim, arm, objective, columns):
    """Controls that fell from 50 to 44 under random weights are something, whatever became of the rest."""
    found = verdicts(changed(runs(), arm, objective, **columns))
    assert {name for name, verdict in found.items() if verdict != "holds"} == {claim}
    assert found[claim] == "does not hold"


def test_editing_that_forgets_more_is_not_harder():
    easier = changed(runs(), "all", "edit", em_memorized=0.5)
    assert verdicts(changed(easier, "top", "edit", em_memorized=0.5))["editing_is_harder"] == "does not hold"


def test_controls_that_the_model_never_said_are_no_measure_of_harm():
    """With the corpus's continuation they start from a few tokens, and nobody can take more from them."""
    found = judged(runs(), other_settings(SETTINGS, sets={"continuation": "corpus"}))
    kept = ["top_spares_controls", "random_harms_no_controls"]
    assert (found.loc[kept, "verdict"] == "not applicable").all()
    assert found.loc["top_spares_controls", "reason"].startswith("the controls have the corpus's")
    assert (found["verdict"].drop(kept) == judged(runs())["verdict"].drop(kept)).all()


def test_margins_are_a_share_of_the_continuation():
    """Three tokens less forgotten are too many of 50, and few of 100."""
    edits = changed(runs(), "top", em_memorized=5.0)
    assert verdicts(edits)["top_unlearns_as_all"] == "does not hold"
    longer = judged(edits, other_settings(SETTINGS, paragraph={"length": 150, "prefix": 50}))
    assert longer.loc["top_unlearns_as_all", ["verdict", "margin"]].tolist() == ["holds", 4]


def test_wide_intervals_decide_nothing():
    """Also not that nothing happens, and not by a mean that is on the right side."""
    wide = [0, 50, 0, 50, 50, 50, 50, 50]
    edits = changed(runs(), "random", em_memorized=wide, em_control=wide[::-1])
    edits = changed(edits, "top", em_memorized=[0, 0, 0, 0, 0, 0, 25, 25])
    found = verdicts(edits)
    for claim in ("random_unlearns_nothing", "random_harms_no_controls", "top_unlearns_as_all"):
        assert found[claim] == "undecided"


@pytest.mark.parametrize("n", [1, 2, 5])
def test_few_paragraphs_decide_nothing(n):
    """Two standard errors of four paragraphs are wrong once in seven times, and one has no error at all."""
    found = judged(runs(n=n))
    assert (found["verdict"] == "undecided").all() and (found["reason"] == "fewer than 6 paragraphs").all()
    assert (found["n"] == n).all() and found["value"].notna().all() and found["low"].isna().all()


def test_six_paragraphs_that_agree_are_enough():
    assert set(verdicts(runs(n=6)).values()) == {"holds"}


def test_nothing_applies_where_all_weights_do_nothing():
    """Such as at too small a learning rate: then no arm differs from another."""
    nothing = dict.fromkeys(("all", "top", "random"), (50, 50, 4))
    found = judged(runs({"unlearn": nothing, "edit": nothing}))
    assert (found["verdict"] == "not applicable").all()
    assert found["reason"].str.contains("at learning rate 0.001 all weights move").all()


def test_controls_that_all_weights_do_not_harm_say_nothing():
    found = judged(changed(runs(), "all", em_control=49.0))
    claims = ["top_spares_controls", "random_harms_no_controls"]
    assert (found.loc[claims, "verdict"] == "not applicable").all()
    assert (found.loc[claims, "reason"].str.endswith("move 1.0 tokens of its controls: too few")).all()
    assert (found.drop(claims)["verdict"] == "holds").all()


def test_targets_that_gain_and_lose_alike_say_nothing():
    """Four paragraphs say three tokens more of their target than before, four say three less."""
    found = judged(changed(runs(), "all", "edit", em_target=[1.0, 7.0] * 4)).loc["top_writes_as_all"]
    assert found["verdict"] == "not applicable"
    assert found["reason"].endswith("all weights move 0.0 tokens of its target: too few")


def test_two_tokens_of_fifty_are_something():
    found = judged(changed(runs(), "all", em_control=48.0))
    assert found.loc["top_spares_controls", "verdict"] == "does not hold"


def test_edits_that_do_nothing_are_hard_all_the_same():
    nothing = changed(changed(runs(), "all", "edit", em_memorized=50), "top", "edit", em_memorized=50)
    found = verdicts(nothing)
    assert found["editing_is_harder"] == "holds" and found["top_edits_as_all"] == "not applicable"
    assert found["top_writes_as_all"] == "not applicable" and found["top_unlearns_as_all"] == "holds"


def test_weights_that_unlearn_little_do_not_spare():
    found = judged(changed(runs(), "top", em_memorized=40.0, em_control=50.0))
    assert found.loc["top_spares_controls", "verdict"] == "undecided"
    assert "they forget only 10.0 tokens" in found.loc["top_spares_controls", "reason"]
    assert found.loc["top_unlearns_as_all", "verdict"] == "does not hold"


def test_arms_that_do_the_same_are_as_good_but_not_better():
    same = dict.fromkeys(("all", "top", "random"), (2, 30, 25))
    edits = runs({"unlearn": same, "edit": same})
    means = {"unlearn": [2.0, 30.0], "edit": [2.0, 30.0]}
    for objective, (memorized, control) in means.items():
        for arm in same:
            values = {"em_memorized": memorized, "em_control": control, "em_target": 25.0}
            edits = changed(edits, arm, objective, **values)
    found = verdicts(edits)
    for claim in ("top_unlearns_as_all", "top_edits_as_all", "top_writes_as_all"):
        assert found[claim] == "holds"
    for claim in ALL_CLAIMS - {"top_unlearns_as_all", "top_edits_as_all", "top_writes_as_all"}:
        assert found[claim] == "does not hold"


def test_other_learning_rates_and_the_authors_runs_do_not_judge():
    worse = {
        objective: dict.fromkeys(("all", "top", "random"), (45, 50, 10)) for objective in ("unlearn", "edit")
    }
    others = [*(runs(worse, learning_rate=rate) for rate in (1e-5, 1e-2)), runs(worse, reference=True)]
    pd.testing.assert_frame_equal(judged(pd.concat([runs(), *others])), judged(runs()))
    theirs = runs(reference=True)
    assert set(verdicts(theirs).values()) == {"holds"}, "a study that does everything like the authors"


def test_what_was_forgotten_is_counted_from_the_start():
    """A near-tie may let a memorized paragraph start a token short."""
    edits = runs().assign(em_memorized_before=49.0, em_control_before=49.5, em_target_before=6.0)
    found, before = judged(edits)["value"], judged(runs())["value"]
    assert found["random_unlearns_nothing"] == -1 and found["random_harms_no_controls"] == 0.5
    pairs = ["top_unlearns_as_all", "top_spares_controls", "top_writes_as_all", "editing_is_harder"]
    assert found[pairs].tolist() == pytest.approx(before[pairs].tolist())


@pytest.mark.parametrize(("left", "verdict"), [(25.0, "holds"), (25.5, "undecided")])
def test_who_forgets_less_than_half_spares_nobody(left, verdict):
    found = judged(changed(runs(), "top", em_memorized=left)).loc["top_spares_controls"]
    assert found["verdict"] == verdict
    assert ("what does little harms little" in found["reason"]) == (verdict == "undecided")
