"""Figures on editing on made-up tables: plotted numbers, verdicts, readable labels."""

import numpy as np
import pandas as pd
import pytest
from drawn_parts import words
from figure_labels import checked, overlapping_labels

from memloc.figures import edited_weights, editing_robustness, editing_tradeoff, fig5
from memloc.figures.parts import edit_summary
from memloc.settings.editing import ARMS
from memloc.settings.sections import sections

RATES = [1e-3, 1e-5]
# Tokens that remain of memorized paragraphs and of controls.
LEFT = {
    "unlearn": {
        "all": (2, 10),
        "top": (1, 40),
        "random": (50, 50),
        "head": (20, 45),
        "other_head": (48, 47),
        "layer": (3, 20),
    },
    "edit": {
        "all": (10, 20),
        "top": (11, 30),
        "random": (50, 50),
        "head": (30, 45),
        "other_head": (49, 48),
        "layer": (12, 20),
    },
}
GIVEN = {
    "paragraph": {"length": 100, "prefix": 50},
    "editing": {
        "learning_rates": RATES,
        "steps": 10,
        "n_controls": 10,
        "fraction": 0.001,
        "relearning_limit": 5,
    },
    "highlight": {"layer": 1, "head": 2},
    "sets": {},
}
SETTINGS = sections(GIVEN)


def runs(n_paragraphs: int, arms: tuple[str, ...] = ARMS, reference: bool = False) -> list[dict]:
    rng = np.random.default_rng(0)
    rows = []
    for objective, by_arm in LEFT.items():
        for arm in arms:
            for rate in RATES:
                for number in range(n_paragraphs):
                    memorized, control = by_arm[arm] if rate == RATES[0] else (50, 50)
                    jitter = rng.uniform(0, 0.5) if memorized < 50 else 0
                    rows.append(
                        {
                            "id": number,
                            "objective": objective,
                            "arm": arm,
                            "learning_rate": rate,
                            "reference": reference,
                            "em_memorized": memorized + jitter,
                            "em_control": control - jitter,
                            "em_other": 50 - (50 - control) / 5,
                            "em_target": np.nan if objective == "unlearn" else 50 - memorized,
                            "nll_held_out": 3 + (50 - control) / 100,
                            "recited": (memorized == 50) * 0.7,
                            "recited_before": 0.7,
                            "relearning_steps": pd.NA if memorized < 5 else 2,
                            "n_movable_weights": 1000 if arm in ("top", "random") else 10**6,
                            "n_changed_weights": 998 if arm in ("top", "random") and not reference else 10**6,
                        }
                    )
    return rows


def trajectories(edits: pd.DataFrame) -> pd.DataFrame:
    """A straight way from the original model to the end of each run."""
    frames = []
    for step in (0, 5, 10):
        frame, share = edits.copy(), step / 10
        for column, start in (("em_memorized", 50), ("em_other", 50), ("nll_held_out", 3)):
            frame[column] = start + share * (edits[column] - start)
        frames.append(frame.assign(step=step))
    return pd.concat(frames, ignore_index=True)


def trajectories_of(tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    return {"edit_trajectories": trajectories(tables["edits"])}


def made_up(n_reference: int = 2) -> dict[str, pd.DataFrame]:
    rows = runs(6) + (runs(n_reference, ARMS[:3], reference=True) if n_reference else [])
    edits = pd.DataFrame(rows).astype({"relearning_steps": "Int64"})
    return {
        "edits": edits,
        "edit_trajectories": trajectories(edits),
    }


def test_means_of_each_learning_rate_are_of_its_own_paragraphs():
    tables = made_up()
    edits = tables["edits"]
    swept = (edits["learning_rate"] == RATES[0]) | (edits["id"] < 2)
    tables["edits"] = edits[swept & ~(edits["reference"] & (edits["learning_rate"] != RATES[0]))]
    drawing = fig5.draw(tables, SETTINGS)
    first, second = drawing.numbers["rates"]
    own = tables["edits"].query("not reference and objective == 'edit' and arm == 'top'")
    for row, rate in ((first, RATES[0]), (second, RATES[1])):
        means = own[own["learning_rate"] == rate][["em_memorized", "em_control", "em_target"]].mean()
        assert row["means"]["edit_top"] == pytest.approx(means.to_dict())
    assert (first["n"], second["n"], drawing.numbers["n_compared"]) == (6, 2, 2)
    theirs = tables["edits"].query("reference and objective == 'unlearn' and arm == 'all'")
    assert first["theirs"]["unlearn_all"]["em_control"] == pytest.approx(theirs["em_control"].mean())
    assert second["theirs"] == {}
    text = checked("fig5", drawing)
    assert "* 0.001 (6 paragraphs)" in text and "* 1e-05 (2 paragraphs)" in text
    assert text.count("As the authors' code does it") == 1
    assert editing_tradeoff.draw(trajectories_of(tables), SETTINGS).numbers["sizes"] == [
        {"rate": RATES[1], "n": 2},
        {"rate": RATES[0], "n": 6},
    ]


def test_a_trade_off_without_damage_has_axes_that_can_be_read():
    tables = made_up()
    last = tables["edit_trajectories"]["step"] == 10
    nothing = {"em_other": 50 - 1e-14 * last, "nll_held_out": 3 - 1e-5 * last}
    tables["edit_trajectories"] = tables["edit_trajectories"].assign(**nothing)
    figure = editing_tradeoff.draw(tables, SETTINGS).figure
    for axes, shown in zip(figure.axes, 2 * [0.01, 1], strict=True):
        assert axes.get_xlim() == (-shown, shown)
    assert not overlapping_labels(figure)


def test_every_arm_has_a_label_and_a_colour_of_its_own():
    assert set(edit_summary.ARM_STYLES) == set(ARMS)
    for styles in zip(*edit_summary.ARM_STYLES.values(), strict=True):
        assert len(set(styles)) == len(ARMS)


@pytest.mark.parametrize("module", [fig5, editing_tradeoff, edited_weights, editing_robustness])
def test_labels_can_be_read_in_larger_models(module):
    tables = made_up()
    tables["edits"]["n_changed_weights"] *= 100
    assert checked(module.__name__.rpartition(".")[2], module.draw(tables, SETTINGS))


def test_figure_5_joins_every_paragraph_to_its_controls_at_the_first_learning_rate():
    drawing = fig5.draw(made_up(), SETTINGS)
    assert set(drawing.data["learning_rate"]) == {RATES[0]} and len(drawing.data) == 2 * 3 * 6
    for axes, objective in zip(drawing.figure.axes, LEFT, strict=True):
        lines, means = iter(axes.lines), iter(axes.texts)
        for place, arm in enumerate(ARMS[:3]):
            rows = drawing.data[(drawing.data["objective"] == objective) & (drawing.data["arm"] == arm)]
            for row in rows.itertuples():
                shown = next(lines).get_xydata()
                assert shown[:, 1].tolist() == [row.em_memorized, row.em_control]
                assert shown[0, 0] < place < shown[1, 0]
            for column in ("em_memorized", "em_control"):
                assert float(next(means).get_text()) == pytest.approx(rows[column].mean(), abs=0.051)


@pytest.mark.parametrize(("continuation", "named"), [("model", True), ("corpus", False)])
def test_figure_5_names_a_goal_of_controls_only_where_they_begin_there(continuation, named):
    """Controls that go on as the corpus does are not recited before the edit either."""
    changed = sections(GIVEN | {"sets": {"continuation": continuation}})
    assert ("goal 50" in checked("fig5", fig5.draw(made_up(), changed))) == named


def test_figure_5_counts_unlearned_edited_and_compared_paragraphs():
    tables = made_up()
    edits = tables["edits"]
    tables["edits"] = edits[(edits["objective"] == "unlearn") | (edits["id"] != 3)]
    numbers = fig5.draw(tables, SETTINGS).numbers
    assert (numbers["n_unlearned"], numbers["n_edited"], numbers["n_compared"]) == (6, 5, 2)
    assert not numbers["reference"], "those that are drawn"
    theirs = tables["edits"][tables["edits"]["reference"]]
    numbers = fig5.draw({"edits": theirs}, SETTINGS).numbers
    assert numbers["reference"] and numbers["n_compared"] == 0 and numbers["n_unlearned"] == 2


def test_trade_off_is_what_was_lost_since_the_start_and_its_lines_run_along_the_steps():
    tables = made_up()
    half_way = tables["edit_trajectories"]["step"] == 5
    tables["edit_trajectories"].loc[half_way, "em_memorized"] = 0.0  # what is lost at the end counts
    drawing = editing_tradeoff.draw(tables, SETTINGS)
    data = drawing.data.set_index(["objective", "arm", "learning_rate", "step"])
    assert (data.pop("n") == 6).all() and (data.xs(0, level="step") == 0).all(axis=None)
    row = data.loc[("unlearn", "all", RATES[0], 10)]
    assert row["em_lost"] == pytest.approx(48, abs=0.5)
    assert row["nll_damage"] == pytest.approx(0.4) and row["em_damage"] == pytest.approx(8)
    cheapest = drawing.numbers["cheapest"]
    assert [row["arm"] for row in cheapest["unlearning"]] == ["top", "layer", "all"]
    assert cheapest["editing"] == [], "no arm takes 40 tokens"
    panels = [(objective, column) for objective in LEFT for column in ("nll_damage", "em_damage")]
    for panel, (objective, column) in zip(drawing.figure.axes, panels, strict=True):
        runs_of_panel = drawing.data[drawing.data["objective"] == objective].groupby(["arm", "learning_rate"])
        assert len(panel.lines) == len(runs_of_panel) + 1
        for line, (_, rows) in zip(panel.lines, runs_of_panel, strict=False):
            assert line.get_xydata().tolist() == rows[[column, "em_lost"]].to_numpy().tolist()


def test_the_least_costly_rate_is_that_of_the_least_damage_to_held_out_text():
    edits = pd.DataFrame(runs(6))
    again = edits[edits["learning_rate"] == RATES[0]].assign(learning_rate=3e-3)
    cheap = again.assign(nll_held_out=again["nll_held_out"] - 0.05, em_other=again["em_other"] - 5)
    theirs = edits.assign(reference=True, em_memorized=0.0, nll_held_out=3.0)
    tables = {"edit_trajectories": trajectories(pd.concat([edits, cheap, theirs]))}
    best = editing_tradeoff.draw(tables, SETTINGS).numbers["cheapest"]["unlearning"]
    assert [(row["arm"], row["learning_rate"]) for row in best] == [
        (arm, 3e-3) for arm in ("top", "layer", "all")
    ]
    # Four fifths of the continuation have to go: 40 of 50 tokens.
    short = {"edit_trajectories": trajectories(edits.assign(em_memorized=10.1))}
    assert not any(editing_tradeoff.draw(short, SETTINGS).numbers["cheapest"].values())


def test_changed_weights_are_means_over_the_paragraphs_that_both_codes_unlearned():
    tables = made_up()
    edits = tables["edits"]
    own = ~edits["reference"] & (edits["objective"] == "unlearn") & (edits["learning_rate"] == RATES[0])
    edits.loc[own & (edits["arm"] == "all"), "em_memorized"] = [0, 9, 50, 50, 50, 50]
    drawing = edited_weights.draw(tables, SETTINGS)
    numbers = drawing.numbers
    assert numbers["n_paragraphs"] == 2
    assert numbers["ours"]["all weights"]["em_memorized"] == pytest.approx(4.5)
    assert numbers["ours"]["top gradients"]["n_changed_weights"] == 998
    assert numbers["theirs"]["top gradients"]["n_changed_weights"] == 10**6
    names = words(drawing.figure.axes[0].get_yticklabels())
    for panel, column in zip(drawing.figure.axes, edited_weights.PANELS, strict=True):
        for bars, means in zip(panel.containers, ("ours", "theirs"), strict=True):
            widths = [numbers[means].get(name, {}).get(column, np.nan) for name in names]
            assert [bar.get_width() for bar in bars] == pytest.approx(widths, nan_ok=True)
    alone = edited_weights.draw({"edits": edits[~edits["reference"]]}, SETTINGS)
    assert alone.numbers["ours"]["all weights"]["em_memorized"] == pytest.approx(209 / 6)
    assert alone.numbers["theirs"] == {} and alone.numbers["n_paragraphs"] == 6


@pytest.mark.parametrize(
    ("steps", "median", "told"),
    [([1, 2, 4, None, None], 4, "median 4"), ([1, 2, None, None, None], 6, "median more than 5")],
)
def test_the_caption_tells_the_median_that_is_drawn(steps, median, told):
    """Also of those that have not come back, which a median of the others alone would leave out."""
    tables = made_up(n_reference=0)
    edits = tables["edits"]
    own = (edits["objective"] == "unlearn") & (edits["learning_rate"] == RATES[0]) & (edits["arm"] == "all")
    edits.loc[own, "em_memorized"] = [0.0] * 5 + [50.0]
    edits.loc[own, "relearning_steps"] = pd.array([*steps, 0], dtype="Int64")
    drawing = editing_robustness.draw(tables, SETTINGS)
    row = next(row for row in drawing.numbers["rows"] if row["arm"] == "all weights")
    right = drawing.figure.axes[1]
    medians = right.collections[4].get_offsets()  # of both rates: faint, medians, label
    assert row["median_steps"] == median and median in medians[:, 1]
    assert right.lines[0].get_ydata() == [5.5, 5.5] and right.get_ylim()[1] > 6, "a line, and room above it"
    assert f"within 5 steps, {told}." in checked("editing_robustness", drawing)


def test_what_is_said_of_forgotten_paragraphs_is_of_them_alone():
    """Three of six have lost a token or more: shares and medians are theirs, the dotted line is all six's."""
    tables = made_up(n_reference=0)
    edits = tables["edits"]
    own = (edits["objective"] == "unlearn") & (edits["learning_rate"] == RATES[0]) & (edits["arm"] == "all")
    edits.loc[own, "em_memorized"] = [0.0, 30.0, 49.0, 50.0, 50.0, 50.0]
    edits.loc[own, "recited"] = [0.1, 0.2, 0.6, 1.0, 1.0, 1.0]
    edits.loc[own, "relearning_steps"] = pd.array([1, 2, 5, 0, 0, 0], dtype="Int64")
    edits["recited_before"] = edits["id"].map({0: 0.0, 1: 0.1, 2: 0.4, 3: 0.5, 4: 0.9, 5: 0.5})
    swept = edits[(edits["learning_rate"] == RATES[0]) | (edits["id"] == 0)]
    drawing = editing_robustness.draw({"edits": swept}, SETTINGS)
    rows = {(row["arm"], row["rate"]): row for row in drawing.numbers["rows"]}
    found = rows[("all weights", RATES[0])]
    assert (found["n"], found["n_back"], found["median_steps"]) == (3, 3, 2)
    assert found["recited"] == pytest.approx(0.3)
    left, right = drawing.figure.axes
    assert drawing.numbers["before"] == pytest.approx(left.lines[0].get_ydata()[0]) == pytest.approx(0.4)
    assert right.collections[4].get_offsets()[0, 1] == 2  # the median
    first = swept[(swept["objective"] == "unlearn") & (swept["learning_rate"] == RATES[0])]
    bold = {ARMS[round(x)]: y for x, y in left.collections[4].get_offsets()}
    assert bold == pytest.approx(first.groupby("arm")["recited"].mean().to_dict())
    faint = [(ARMS[round(x)], y) for x, y in left.collections[3].get_offsets()]
    assert faint == list(zip(first["arm"], first["recited"], strict=True))


def test_the_caption_says_where_relearning_was_not_tried_and_counts_our_own_runs_alone():
    drawing = editing_robustness.draw(made_up(), SETTINGS)
    assert {row["n"] for row in drawing.numbers["rows"]} == {6}, "none of the authors' code"
    assert not [row for row in drawing.numbers["rows"] if row["rate"] == RATES[1]], "none was forgotten"
    untried = sections(GIVEN | {"editing": GIVEN["editing"] | {"relearning_limit": 0}})
    text = checked("editing_robustness", editing_robustness.draw(made_up(), untried))
    assert "relearning was not tried" in text and "median 2" not in text and "0 steps" not in text
