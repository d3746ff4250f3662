"""Figures on editing on made-up tables: plotted numbers, verdicts, readable labels."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from drawn_parts import colour_of, legend_of, letters_of, words
from figure_labels import clipped_labels, overlapping_labels
from matplotlib.colors import to_hex

from memloc.figures import edited_weights, editing_robustness, editing_tradeoff, fig5
from memloc.figures.parts import edit_summary
from memloc.figures.parts.style import COLOURS
from memloc.run.templates import fill
from memloc.settings.arms import ARMS
from memloc.settings.sections import sections

REPORT = Path(__file__).parents[3] / "workflow" / "report"
RATES = [1e-3, 1e-5]
# Tokens that remain of memorized paragraphs and of controls.
LEFT = {
    "unlearn": {"all": (2, 10), "top": (1, 40), "random": (50, 50), "head": (20, 45), "layer": (3, 20)},
    "edit": {"all": (10, 20), "top": (11, 30), "random": (50, 50), "head": (30, 45), "layer": (12, 20)},
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
MODULES = {
    "fig5": fig5,
    "editing_tradeoff": editing_tradeoff,
    "edited_weights": edited_weights,
    "editing_robustness": editing_robustness,
}


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


def caption(name: str, drawing) -> str:
    return fill((REPORT / f"{name}.rst").read_text(), drawing.numbers | {"study": "tests"})


@pytest.mark.parametrize("name", MODULES)
@pytest.mark.parametrize("larger", [1, 10, 100])
@pytest.mark.parametrize("n_reference", [0, 2])
def test_labels_can_be_read_and_captions_are_filled(name, larger, n_reference):
    tables = made_up(n_reference)
    tables["edits"]["n_changed_weights"] *= larger  # of larger models
    drawing = MODULES[name].draw(tables, SETTINGS)
    assert not clipped_labels(drawing.figure)
    assert not overlapping_labels(drawing.figure)
    text = caption(name, drawing)
    assert "tests" in text and "nan" not in text and "None" not in text
    assert len(drawing.data)


def test_figure_5_plots_exact_matches_of_the_first_learning_rate():
    drawing = fig5.draw(made_up(), SETTINGS)
    assert set(drawing.data["learning_rate"]) == {RATES[0]} and len(drawing.data) == 2 * 3 * 6
    for axes, (objective, arm) in zip(
        drawing.figure.axes, [(o, a) for o in LEFT for a in ARMS[:3]], strict=True
    ):
        counts = [[bar.get_height() for bar in patches] for patches in axes.containers]
        for heights, value in zip(counts, LEFT[objective][arm], strict=True):
            inside = (
                min(int(value // 5), 9)
                if value == LEFT[objective][arm][0]
                else min(int((value - 0.1) // 5), 9)
            )
            assert heights[inside] == 6 and sum(heights) == 6
        means = [line.get_xdata()[0] for line in axes.lines]
        rows = drawing.data.query("objective == @objective and arm == @arm")
        assert means == pytest.approx([rows["em_memorized"].mean(), rows["em_control"].mean()])
        assert [float(text.get_text()) for text in axes.texts] == pytest.approx(means, abs=0.051)
        names = {"unlearn": "unlearning", "edit": "editing"}
        assert axes.get_title() == f"{names[objective]}, {edit_summary.ARM_LABELS[arm]}"
        colours = [COLOURS["memorized"], COLOURS["non_memorized"]]
        drawn = [[patches[0] for patches in axes.containers], axes.lines, axes.texts]
        assert [[colour_of(each) for each in artists] for artists in drawn] == [colours] * 3
    below = [axes.get_xlabel() for axes in drawing.figure.axes]
    assert [axes.get_ylabel() for axes in drawing.figure.axes] == ["paragraphs", "", ""] * 2
    assert letters_of(drawing.figure) == "abcdef" and below == [""] * 3 + ["exact match (tokens)"] * 3
    labels = ["memorized", "non-memorized"]
    assert legend_of(drawing.figure) == dict(zip(labels, colours, strict=True))


@pytest.mark.parametrize(("continuation", "named"), [("model", True), ("corpus", False)])
def test_figure_5_names_a_goal_of_controls_only_where_they_begin_there(continuation, named):
    """Controls that go on as the corpus does are not recited before the edit either."""
    changed = sections(GIVEN | {"sets": {"continuation": continuation}})
    assert ("goal 50" in caption("fig5", fig5.draw(made_up(), changed))) == named


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
    text = caption("fig5", drawing)
    assert "* 0.001 (6 paragraphs)" in text and "* 1e-05 (2 paragraphs)" in text
    assert text.count("As the authors' code does it") == 1
    assert editing_tradeoff.draw(trajectories_of(tables), SETTINGS).numbers["sizes"] == [
        {"rate": RATES[1], "n": 2},
        {"rate": RATES[0], "n": 6},
    ]


@pytest.mark.parametrize("name", ["fig5", "editing_tradeoff", "edited_weights", "editing_robustness"])
def test_captions_decide_nothing(name):
    text = caption(name, MODULES[name].draw(made_up(), SETTINGS))
    assert not {"holds", "hold", "undecided", "statements"} & set(text.replace(",", " ").split())


def test_trade_off_is_what_was_lost_since_the_start():
    tables = made_up()
    half_way = tables["edit_trajectories"]["step"] == 5
    tables["edit_trajectories"].loc[half_way, "em_memorized"] = 0.0  # what is lost at the end counts
    drawing = editing_tradeoff.draw(tables, SETTINGS)
    data = drawing.data.set_index(["objective", "arm", "learning_rate", "step"])
    assert (data.pop("n") == 6).all() and (data.xs(0, level="step") == 0).all(axis=None)
    row = data.loc[("unlearn", "all", RATES[0], 10)]
    assert row["em_lost"] == pytest.approx(48, abs=0.5)
    assert row["nll_damage"] == pytest.approx(0.4) and row["em_damage"] == pytest.approx(8)
    half = data.loc[("unlearn", "all", RATES[0], 5)]
    assert half["nll_damage"] == pytest.approx(0.2)
    assert [axes.get_ylabel()[:7] for axes in drawing.figure.axes[::2]] == ["EM lost"] * 2
    cheapest = drawing.numbers["cheapest"]
    assert drawing.numbers["steps"] == 10
    assert [row["arm"] for row in cheapest["unlearning"]] == ["top", "layer", "all"]
    assert cheapest["editing"] == [], "no arm takes 40 tokens"


def test_a_trade_off_without_damage_has_axes_that_can_be_read():
    tables = made_up()
    last = tables["edit_trajectories"]["step"] == 10
    nothing = {"em_other": 50 - 1e-14 * last, "nll_held_out": 3 - 1e-5 * last}
    tables["edit_trajectories"] = tables["edit_trajectories"].assign(**nothing)
    figure = editing_tradeoff.draw(tables, SETTINGS).figure
    for axes, shown in zip(figure.axes, 2 * [0.01, 1], strict=True):
        assert axes.get_xlim() == (-shown, shown)
    assert not overlapping_labels(figure)


def test_changed_weights_compare_the_same_paragraphs():
    drawing = edited_weights.draw(made_up(), SETTINGS)
    assert drawing.numbers["n_paragraphs"] == 2
    assert drawing.numbers["ours"]["top gradients"]["n_changed_weights"] == 998
    assert drawing.numbers["ours"]["top gradients"]["n_movable_weights"] == 1000
    assert drawing.numbers["theirs"]["top gradients"]["n_changed_weights"] == 10**6
    assert [panel.get_xscale() for panel in drawing.figure.axes] == ["log", "linear", "linear"]
    names = ["all weights", "top gradients", "random weights", "one head", "one layer"]
    assert list(legend_of(drawing.figure)) == ["only the chosen weights", "the authors' code"]
    assert words(drawing.figure.axes[0].get_yticklabels()) == names
    assert drawing.figure.axes[0].yaxis_inverted()
    for panel, column in zip(drawing.figure.axes, edited_weights.PANELS, strict=True):
        assert panel.get_xlabel() == edited_weights.PANELS[column]
        written = iter(words(panel.texts))
        ours, theirs = panel.containers
        for bars, means, hatch in ((ours, "ours", None), (theirs, "theirs", "////")):
            for place, (bar, name) in enumerate(zip(bars, names, strict=True)):
                value = drawing.numbers[means].get(name, {}).get(column, np.nan)
                assert bar.get_width() == pytest.approx(value, nan_ok=True) and bar.get_hatch() == hatch
                assert round(bar.get_y() + bar.get_height() / 2) == place
                assert colour_of(bar) == dict(edit_summary.ARM_STYLES.values())[name]
                digits = 0 if column == "n_changed_weights" else 1
                assert next(written) == ("" if np.isnan(value) else f"{value:,.{digits}f}")
    assert edited_weights.draw(made_up(n_reference=0), SETTINGS).numbers["n_paragraphs"] == 6


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
    medians = drawing.figure.axes[1].collections[4].get_offsets()  # of both rates: faint, medians, label
    assert row["median_steps"] == median and median in medians[:, 1]
    assert f"within 5 steps, {told}." in caption("editing_robustness", drawing)


def test_paragraphs_that_do_not_come_back_lie_above_the_line():
    drawing = editing_robustness.draw(made_up(), SETTINGS)
    rows = {(row["arm"], row["rate"]): row for row in drawing.numbers["rows"]}
    assert rows[("all weights", RATES[0])]["n_back"] == 0
    assert {row["n"] for row in drawing.numbers["rows"]} == {6}, "none of the authors' code"
    assert rows[("one head", RATES[0])]["median_steps"] == 2
    assert not [row for row in drawing.numbers["rows"] if row["rate"] == RATES[1]], "none was forgotten"
    right = drawing.figure.axes[1]
    heights = np.concatenate([points.get_offsets()[:, 1] for points in right.collections])
    assert heights.max() == 6 and right.get_ylim()[1] > 6
    assert right.lines[0].get_ydata() == [5.5, 5.5] and "line: more than 5)" in right.get_ylabel()


def test_unlearning_at_the_first_rate_is_what_changed_weights_are_shown_of():
    """Means of paragraphs, not medians, of the very runs that both codes made."""
    tables = made_up()
    edits = tables["edits"]
    own = ~edits["reference"] & (edits["objective"] == "unlearn") & (edits["learning_rate"] == RATES[0])
    edits.loc[own & (edits["arm"] == "all"), "em_memorized"] = [0, 9, 50, 50, 50, 50]
    drawing = edited_weights.draw(tables, SETTINGS)
    assert drawing.numbers["ours"]["all weights"]["em_memorized"] == pytest.approx(4.5)
    edits = edits[~edits["reference"]]
    alone = edited_weights.draw({"edits": edits}, SETTINGS)
    assert alone.numbers["ours"]["all weights"]["em_memorized"] == pytest.approx(209 / 6)
    assert alone.numbers["theirs"] == {} and alone.numbers["rate"] == RATES[0]
    widths = [bar.get_width() for bar in alone.figure.axes[1].containers[0]]
    labels = [label.get_text() for label in alone.figure.axes[0].get_yticklabels()]
    assert widths == [alone.numbers["ours"][label]["em_memorized"] for label in labels]


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
    assert drawing.numbers["before"] == pytest.approx(0.4)
    left, right = drawing.figure.axes
    means = [left.collections[place].get_offsets() for place in (1, 4)]  # of both rates: faint, means, label
    assert means[1][0, 1] == pytest.approx((0.3 + 1) * 3 / 6)
    assert right.collections[4].get_offsets()[0, 1] == 2  # the median
    assert left.lines[0].get_ydata()[0] == pytest.approx(0.4)
    assert list(legend_of(drawing.figure)) == ["rate 1e-05", "rate 0.001"]
    arms = ["all", "top", "random", "head", "layer"]
    for panel in (left, right):
        assert words(panel.get_xticklabels()) == [
            edit_summary.ARM_LABELS[arm].replace(" ", "\n") for arm in arms
        ]
    first = swept[(swept["objective"] == "unlearn") & (swept["learning_rate"] == RATES[0])]
    assert drawing.numbers["n_paragraphs"] == 6
    places = [arms[round(x)] for x, _ in left.collections[4].get_offsets()]
    shades = map(to_hex, left.collections[4].get_facecolors())
    assert dict(zip(places, shades, strict=True)) == edit_summary.ARM_COLOURS
    marks = [str(points.get_paths()[0].vertices) for points in left.collections]
    assert marks[0] == marks[1] == marks[2] != marks[3] == marks[4] == marks[5], "a marker per rate"
    bold = {arms[round(x)]: y for x, y in left.collections[4].get_offsets()}
    assert bold == pytest.approx(first.groupby("arm")["recited"].mean().to_dict())
    faint = [(arms[round(x)], y) for x, y in left.collections[3].get_offsets()]
    assert faint == list(zip(first["arm"], first["recited"], strict=True))


def test_the_least_costly_rate_is_that_of_the_least_damage_to_held_out_text():
    edits = pd.DataFrame(runs(6))
    again = edits[edits["learning_rate"] == RATES[0]].assign(learning_rate=3e-3)
    cheap = again.assign(nll_held_out=again["nll_held_out"] - 0.05, em_other=again["em_other"] - 5)
    theirs = edits.assign(reference=True, em_memorized=0.0, nll_held_out=3.0)
    tables = {"edit_trajectories": trajectories(pd.concat([edits, cheap, theirs]))}
    drawing = editing_tradeoff.draw(tables, SETTINGS)
    best = drawing.numbers["cheapest"]["unlearning"]
    assert [(row["arm"], row["learning_rate"]) for row in best] == [
        ("top", 3e-3),
        ("layer", 3e-3),
        ("all", 3e-3),
    ]
    labels, colours = zip(*edit_summary.ARM_STYLES.values(), strict=True)
    assert list(legend_of(drawing.figure)) == [*labels, "rate 1e-05", "rate 0.001", "rate 0.003"]
    (key,) = drawing.figure.legends
    assert [line.get_color() for line in key.get_lines()[:5]] == list(colours)
    panels = [(objective, column) for objective in LEFT for column in ("nll_damage", "em_damage")]
    for panel, (objective, column) in zip(drawing.figure.axes, panels, strict=True):
        assert panel.get_title() == edit_summary.OBJECTIVE_LABELS[objective]
        data = drawing.data[drawing.data["objective"] == objective]
        runs_of_panel = data.groupby(["arm", "learning_rate"])
        assert len(panel.lines) == len(runs_of_panel) + 1
        for line, ((arm, rate), rows) in zip(panel.lines, runs_of_panel, strict=False):
            assert line.get_xdata().tolist() == rows[column].tolist()
            assert line.get_ydata().tolist() == rows["em_lost"].tolist()
            assert line.get_color() == edit_summary.ARM_COLOURS[arm]
            assert line.get_marker() == "os^"[sorted({*RATES, 3e-3}).index(rate)]
    assert [axes.get_xlabel()[:3] for axes in drawing.figure.axes[2:]] == ["NLL", "EM "]


def test_paragraphs_just_short_of_forgotten_are_not_cheap():
    """Four fifths of the continuation have to go: 40 of 50 tokens."""
    edits = pd.DataFrame(runs(6)).assign(em_memorized=10.1)
    numbers = editing_tradeoff.draw({"edit_trajectories": trajectories(edits)}, SETTINGS).numbers
    assert numbers["cheapest"] == {"unlearning": [], "editing": []} and numbers["enough"] == 40


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


def test_the_caption_says_where_relearning_was_not_tried():
    untried = sections(GIVEN | {"editing": GIVEN["editing"] | {"relearning_limit": 0}})
    text = caption("editing_robustness", editing_robustness.draw(made_up(), untried))
    assert "relearning was not tried" in text and "median 2" not in text and "0 steps" not in text


def test_every_arm_has_a_label_and_a_colour_of_its_own():
    assert set(edit_summary.ARM_STYLES) == set(ARMS)
    for styles in zip(*edit_summary.ARM_STYLES.values(), strict=True):
        assert len(set(styles)) == len(ARMS)
