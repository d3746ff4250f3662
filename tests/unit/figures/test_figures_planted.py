"""Figures of planted truth on made-up tables: what they say, and that their captions are complete."""

import re
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from drawn_parts import legend_of, letters_of, table_rows, words
from matplotlib import pyplot as plt

from memloc.figures import (
    planted_curves,
    planted_needed,
    planted_precision,
    planted_rank,
    planted_recall,
    planted_recommend,
)
from memloc.figures.parts.planted import BASELINES, KIND_LABELS, label, methods_of, numbers_of, panel_title
from memloc.run.templates import fill
from memloc.settings.plant_kinds import PLANT_GRANULARITIES
from memloc.statistics import uncertainty

REPORT = Path(__file__).parents[3] / "workflow" / "report"
MODULES = {
    "planted_recall": planted_recall,
    "planted_precision": planted_precision,
    "planted_curves": planted_curves,
    "planted_rank": planted_rank,
    "planted_needed": planted_needed,
    "planted_recommend": planted_recommend,
}
SHARE = {"head_vo": 1.0, "neurons": 0.9, "scattered_1": 0.8}  # of what a method finds elsewhere
KINDS = tuple(SHARE)
SIZES = {"head_vo": (1, 32), "neurons": (10, 100), "scattered_1": (5, 1000)}  # units of the place, of all
FOUND = {"gradient_largest": 0.4, "zero_ablation": 0.9, "weight_size": 1.0, "random": 0.1, "change": 0.97}
RIVALS = ("gradient_largest", "zero_ablation")


def found_of(kind, method, plant):
    """Average precision; by chance, two plants are found better than by gradients."""
    return 0.6 if method == "random" and plant < 2 else SHARE[kind] * FOUND[method] - 0.02 * (plant % 2)


def tables(n=8):
    plants, truth, curves = [], [], []
    for kind, (n_place, n_units) in SIZES.items():
        for plant in range(n):
            labels = {"kind": kind, "plant": plant, "attempt": 0}
            rise = (1.1 if kind == "head_vo" else 1.01) + 0.001 * plant**2 * (kind == "head_vo")
            sizes = {"n_allowed": 10 * n_units, "n_needed": 3 * n_place + plant, "norm_before": 4.0}
            texts = {"nll_held_out_before": 4.0, "nll_held_out": 4.0 * rise, "em_memorized_before": 50.0}
            left = {"em_memorized": 40.0 - plant**2 / 2, "norm": 6.0 + plant}
            plants.append({**labels, **sizes, **texts, **left, "reached": True})
            for method in FOUND:
                about = {**labels, "method": method, "granularity": PLANT_GRANULARITIES[kind][0]}
                for control, level in (("plant", 0.3), ("plant", 0.03), ("twin", 0.3)):
                    asked = control == "plant" and level == 0.3
                    score = found_of(kind, method, plant) if asked else 0.1
                    seconds = 3.0 if control == "twin" else 9.0 if plant == 0 and n > 2 else 0.5
                    row = {"control": control, "level": level, "criterion": level == 0.3, "seconds": seconds}
                    rank = 20.0 if control == "twin" else 1.0 + plant + 4 * (level == 0.03)
                    found = {"recall_1": score / 2, "average_precision": score, "rank": rank}
                    row = {**about, **row, **found, "n_units": n_units, "n_place": n_place}
                    truth.append(row)
                    if kind == "head_vo":
                        truth.append({**row, "granularity": "weight", "average_precision": 0.0, "rank": 9e5})
                value = SHARE[kind] * FOUND[method] * (1 if plant else 0.5)
                for share in (0.01, 0.1, 1.0):
                    point = {"share": share, "kept": value * share, "left": 1 - 0.8 * value * share}
                    curves.append({**about, "control": "plant", "level": 0.3, "criterion": True, **point})
    plants.append({**plants[0], "attempt": 1, "reached": False, "nll_held_out": None, "n_needed": None})
    truth = pd.DataFrame(truth)
    named = {"plants": pd.DataFrame(plants), "planted_truth": truth, "planted_costs": truth}
    return named | {"planted_curves": pd.DataFrame(curves)}


def mean_found(kind, method):
    return np.mean([found_of(kind, method, plant) for plant in range(8)])


@pytest.mark.parametrize("name", MODULES)
@pytest.mark.parametrize("n", [2, 8])
def test_figures_are_drawn_and_captions_complete(name, n):
    drawing = MODULES[name].draw(tables(n), {})
    drawing.figure.canvas.draw()
    caption = fill((REPORT / f"{name}.rst").read_text(), drawing.numbers | {"study": "made"})
    assert len(drawing.data) and not re.search(r"[{}]|\bnan\b|None", caption), caption
    shown = [text.get_text() for text in drawing.figure.findobj(plt.Text)]
    assert not [text for text in shown if "mathdefault" in text]


def test_means_are_those_of_the_plants_at_the_criterion():
    data = planted_recall.draw(tables(), {}).data.set_index(["kind", "control", "method"])
    own = data.loc["neurons", "plant", "zero_ablation"]
    assert own["value"] == pytest.approx(0.4) and own["n"] == 8
    assert own["low"] < 0.4 < own["high"]


def test_recall_is_drawn_with_its_interval_at_its_method_the_plant_above_the_twin():
    figure = planted_recall.draw(tables(), {}).figure
    methods = words(figure.axes[0].get_yticklabels())
    assert methods == [label(name) for name in ("gradient_largest", "zero_ablation", *BASELINES)]
    assert list(legend_of(figure)) == ["the plant", "the unplanted twin"]
    for panel, (kind, (n_place, n_units)) in zip(figure.axes, SIZES.items(), strict=True):
        assert panel.get_title() == panel_title(kind) and panel.yaxis_inverted()
        assert panel.get_xlabel() == "recall"
        assert panel.lines[0].get_xdata()[0] == pytest.approx(n_place / n_units), "chance"
        lines, plant, _, twin = panel.collections
        for place, method in enumerate(("gradient_largest", "zero_ablation", *BASELINES)):
            recalls = np.array([found_of(kind, method, plant) / 2 for plant in range(8)])
            for points, mean in ((plant, recalls.mean()), (twin, 0.05)):
                (x,) = [x for x, y in points.get_offsets() if round(y) == place]
                assert x == pytest.approx(mean)
            expected = uncertainty.mean(recalls)
            (ends,) = [ends for ends in lines.get_segments() if round(ends[0, 1]) == place]
            assert ends[:, 0] == pytest.approx((max(expected.low, 0), expected.high))
        assert max(plant.get_offsets()[:, 1] % 1) > 0.5 > min(twin.get_offsets()[:, 1] % 1)


def test_the_caption_says_what_plants_do_to_other_text():
    """Medians, of the plants that reached the criterion; nine tries had the first kind."""
    numbers = planted_recall.draw(tables(), {}).numbers
    assert numbers["controls"] == ["plant", "twin"], "no wrong paragraph was asked about"
    first, second, _ = numbers["kinds"]
    rises = [0.1 + 0.001 * plant**2 for plant in range(8)]
    left = [40 - plant**2 / 2 for plant in range(8)]
    assert first == {
        "kind": "a head (V, O)",
        "n_reached": 8,
        "n_tries": 9,
        "n_damaging": 8,
        "damage": f"+{100 * np.median(rises):.1f} %",
        "em_memorized": f"{np.median(left):.0f}",
    }
    assert (second["damage"], second["n_tries"], second["n_damaging"]) == ("+1.0 %", 8, 0)


def test_what_is_not_known_of_plants_is_said_to_be_unknown():
    plants = tables(2)["plants"]
    (nowhere, *_), (unmeasured, *_) = (
        numbers_of(plants.assign(**change)) for change in ({"reached": False}, {"em_memorized": np.nan})
    )
    assert (nowhere["n_reached"], nowhere["n_tries"], nowhere["damage"]) == (0, 3, "unknown")
    assert nowhere["em_memorized"] == unmeasured["em_memorized"] == "unknown" != unmeasured["damage"]


def test_methods_of_a_users_own_come_last():
    rows = pd.DataFrame({"method": ["mine", "random", "another", "patching", "mine"]})
    assert methods_of(rows) == ["patching", "random", "another", "mine"]


def test_plants_that_damage_other_text_are_reported_apart():
    drawing = planted_precision.draw(tables(), {})
    assert [row["n_damaging"] for row in drawing.numbers["kinds"]] == [8, 0, 0]
    harmless = drawing.data[drawing.data["plants"] == "without damage"]
    assert set(harmless["kind"]) == {"neurons", "scattered_1"}
    assert drawing.numbers["kinds"][0]["n_tries"] == 9 and drawing.numbers["most_damage"] == "5 %"


def test_what_is_above_one_is_as_far_from_it_as_what_is_below():
    """A method's first units may bring more than all of them together."""
    rows = pd.DataFrame({"share": [0.5, 1.0], "kept": [1.5, 1.0], "left": [0.0, 0.0]})
    labelled = rows.assign(kind="neurons", method="random", plant=0)
    areas = planted_curves.plant_areas(labelled).set_index("area")["value"]
    # From 1 down to 0 and up to 0.5 between shares 0 and 0.5 (drawn from point to point), then down to 0.
    assert areas["cmd"] == pytest.approx(np.trapezoid([1, 0.5, 0], [0, 0.5, 1]))
    assert areas["cpr"] == pytest.approx(np.trapezoid([0, 1.5, 1], [0, 0.5, 1]))


def test_areas_are_those_of_the_curve():
    found = tables()
    found["planted_curves"] = found["planted_curves"].iloc[::-1]  # in whatever order
    drawing = planted_curves.draw(found, {})
    own = drawing.data.set_index(["kind", "method"]).loc[("neurons", "zero_ablation")].iloc[0]
    height = 0.9 * 0.9 * 7.5 / 8  # the first of eight plants has half of the others' height
    assert own["cpr"] == pytest.approx(height / 2)
    assert own["cmd"] == pytest.approx(1 - height / 2)
    assert own["reverted"] == pytest.approx(1 - 0.8 * height / 2)
    best = drawing.numbers["areas"][1]
    assert (best["kind"], best["method"]) == ("neurons of a layer", "zero ablation")
    assert [best[name].value for name in ("cpr", "cmd", "reverted")] == pytest.approx(
        [height / 2, 1 - height / 2, 1 - 0.8 * height / 2]
    )
    assert best["chance"].value == pytest.approx(1 - 0.9 * 0.1 * 7.5 / 8 / 2)


def test_curves_are_means_over_plants_of_what_is_planted_and_of_what_is_left():
    figure = planted_curves.draw(tables(), {}).figure
    above, below = np.array(figure.axes).reshape(2, 3)
    assert "planted alone" in above[0].get_ylabel() and "reverted" in below[0].get_ylabel()
    names = [label(name) for name in ("gradient_largest", "zero_ablation", *BASELINES)]
    assert list(legend_of(figure)) == names
    for kind, kept, left in zip(KINDS, above, below, strict=True):
        assert kept.get_title() == panel_title(kind)
        for panel, factor, start in ((kept, 1, 0), (left, -0.8, 1)):
            lines = {line.get_label(): line for line in panel.lines}
            assert list(lines) == names
            for method in FOUND:
                height = factor * SHARE[kind] * FOUND[method] * 7.5 / 8
                shares, heights = lines[label(method)].get_data()
                assert list(shares) == [0.01, 0.1, 1]
                assert heights == pytest.approx([start + height * share for share in shares])
    percent = {float(text.get_text()): text.get_position()[0] for text in below[0].get_xticklabels()}
    assert list(percent) == pytest.approx([100 * place for place in percent.values()])
    assert {panel.get_xlabel() for panel in below} == {"first units (%)"}
    assert {panel.get_xscale() for panel in (*above, *below)} == {"log"}


def test_areas_have_intervals_over_plants():
    """Half of the plants are found whole at once, half not at all: CMD 0 and 1, but for the way to the first
    share."""
    found = tables(8)
    curves = found["planted_curves"]
    curves["kept"] = np.where(curves["plant"] % 2, 1.0, 0.0)
    drawing = planted_curves.draw(found, {})
    own = drawing.data.set_index(["kind", "method"]).loc[("neurons", "zero_ablation")].iloc[0]
    values = np.array([1, 0.01 / 2] * 4)
    expected = uncertainty.mean(values)
    assert own["cmd"] == pytest.approx(expected.value) == pytest.approx(values.mean())
    assert (own["cmd_low"], own["cmd_high"]) == pytest.approx((expected.low, expected.high))
    assert drawing.numbers["areas"][0]["cmd"].n == 8


def test_ranks_have_intervals_over_plants():
    found = tables(8)
    truth = found["planted_truth"]
    truth["rank"] = 1.0 + truth["plant"]
    row = planted_rank.draw(found, {}).data.query("method == 'zero_ablation' and level == 0.3").iloc[0]
    expected = uncertainty.mean(np.arange(1.0, 9))
    assert row[["value", "low", "high", "n"]].tolist() == pytest.approx(list(expected))
    assert (row["min"], row["max"]) == (1, 8)


def test_mean_ranks_are_drawn_over_the_levels_of_plants_in_heads():
    drawing = planted_rank.draw(tables(), {})
    (panel,) = drawing.figure.axes
    names = [label(name) for name in (*RIVALS, "weight_size")]
    assert [line.get_label() for line in panel.lines] == list(legend_of(drawing.figure)) == names
    for line in panel.lines:
        assert list(line.get_xdata()) == [0.03, 0.3] and list(line.get_ydata()) == [8.5, 4.5]
    assert panel.get_title() == "a head (V, O)" and panel.xaxis_inverted()
    assert panel.get_xscale() == panel.get_yscale() == "log"
    assert (panel.get_xlabel(), panel.get_ylabel()) == (
        "NLL below (nats per token)",
        "mean rank of the planted head",
    )
    assert words(panel.get_xticklabels()) == ["0.03", "0.3"]
    assert words(panel.get_yticklabels()) == ["1", "2", "4", "8", "16", "32"]
    assert list(panel.get_yticks()) == [1, 2, 4, 8, 16, 32]
    assert drawing.numbers == {"n_plants": 8, "n_units": 32}
    found = tables()
    found["planted_truth"] = found["planted_truth"].query("kind == 'neurons'")
    nothing = planted_rank.draw(found, {})
    assert nothing.data.empty and nothing.numbers == {"n_plants": 0, "n_units": 0}


def test_what_is_recommended_beats_its_twin_and_is_no_baseline():
    drawing = planted_recommend.draw(tables(), {})
    data = drawing.data
    first = data.groupby("kind").first()
    assert set(first["method"]) == {"zero_ablation"}
    np.testing.assert_allclose(first["gain"], [mean_found(kind, "zero_ablation") - 0.1 for kind in KINDS])
    assert (first["p_twin"] < 0.05).all() and (first["seconds"] == 0.5).all()
    assert (first["p_chance"] < 0.05).all() and (first["p_first"] == 1).all()
    # Two methods, eight plants with differences of one sign: 2 of 256 flips, times two for the smaller one.
    second = data[data["method"] == "gradient_largest"]
    np.testing.assert_allclose(second[["p_twin", "p_first"]], 2 * 2 / 256)
    assert (second["p_chance"] > 0.05).all(), "chance finds more of two plants"
    sizes = {KIND_LABELS[kind]: pytest.approx(mean_found(kind, "weight_size")) for kind in KINDS}
    assert drawing.numbers["by_size"] == sizes
    few = planted_recommend.draw(tables(2), {}).data
    assert few["low"].isna().all() and few["gain_low"].isna().all()


def test_a_gain_is_that_of_each_plant_over_its_own_twin():
    """What varies between plants as between their twins is no uncertainty."""
    found = tables()
    truth = found["planted_truth"]
    truth.loc[truth["control"] == "twin", "average_precision"] -= 0.02 * (truth["plant"] % 2)
    data = planted_recommend.draw(found, {}).data
    row = data.query("kind == 'neurons' and method == 'zero_ablation'").iloc[0]
    assert row[["gain", "gain_low", "gain_high"]].tolist() == pytest.approx([0.71] * 3)


def test_of_methods_that_find_the_same_the_cheaper_one_is_recommended():
    found = tables()
    dear = (
        found["planted_truth"].query("method == 'zero_ablation'").assign(method="hard_concrete", seconds=9.0)
    )
    fourth = dear.assign(method="slimming", average_precision=0.2)
    truth = pd.concat([found["planted_truth"], dear, fourth])
    drawing = planted_recommend.draw(found | {"planted_truth": truth, "planted_costs": truth}, {})
    data = drawing.data
    shown = data[data["kind"] == "neurons"].head(2)
    assert shown["method"].tolist() == ["zero_ablation", "hard_concrete"] and shown["value"].nunique() == 1
    written = words(drawing.figure.axes[0].texts)
    assert written.count(label("gradient_largest")) == 3 and label("slimming") not in written
    # In its twin it is found as well, so that its gain is smaller.
    twins = dear["control"] == "twin"
    dear = dear.assign(seconds=0.1, average_precision=dear["average_precision"].where(~twins, 0.2))
    truth = pd.concat([found["planted_truth"], dear])
    data = planted_recommend.draw(found | {"planted_truth": truth, "planted_costs": truth}, {}).data
    assert data[data["kind"] == "neurons"]["method"].tolist()[:2] == ["zero_ablation", "hard_concrete"]


def test_the_matrices_of_plants_and_twins_are_their_own():
    """Every method scores 0.1 in twins, and what it scores in plants is written into the first matrix."""
    figure = planted_precision.draw(tables(), {}).figure
    plant, twin, bar = figure.axes
    assert (plant.get_title(), twin.get_title()) == ("the plant", "the unplanted twin")
    assert set(words(twin.texts)) == {"0.10"} and bar.get_ylabel() == "average precision"
    methods = ("gradient_largest", "zero_ablation", *BASELINES)
    expected = np.array([[mean_found(kind, method) for kind in KINDS] for method in methods])
    (mesh,) = plant.collections
    np.testing.assert_allclose(mesh.get_array().reshape(expected.shape), expected)
    assert mesh.get_clim() == twin.collections[0].get_clim() == (0, 1)
    written = {tuple(np.floor(text.get_position()).astype(int)): text.get_text() for text in plant.texts}
    assert written == {(x, y): f"{value:.2f}" for (y, x), value in np.ndenumerate(expected)}
    assert words(plant.get_xticklabels()) == [KIND_LABELS[kind] for kind in KINDS]
    assert words(plant.get_yticklabels()) == [label(method) for method in methods]
    assert plant.yaxis_inverted()


def test_plants_without_damage_are_averaged_alone():
    found = tables()
    plants = found["plants"]
    damaging = (plants["kind"] == "neurons") & (plants["plant"] % 2 == 1)
    plants.loc[damaging, "nll_held_out"] = 4.3
    data = planted_precision.draw(found, {}).data
    own = data.query("plants == 'without damage' and kind == 'neurons' and method == 'zero_ablation'")
    plant = own[own["control"] == "plant"].iloc[0]
    assert plant["n"] == 4 and plant["value"] == pytest.approx(found_of("neurons", "zero_ablation", 0))


def test_the_three_best_methods_of_each_kind_are_written_down():
    (axes,) = planted_recommend.draw(tables(), {}).figure.axes
    lines = table_rows(axes, planted_recommend.HEADER)
    assert [(line["place"], line["method"]) for line in lines] == [
        (KIND_LABELS[kind], label(method)) for kind in KINDS for method in RIVALS[::-1]
    ]
    scores = np.array([found_of("neurons", "gradient_largest", plant) for plant in range(8)])
    precision, gain = uncertainty.mean(scores), uncertainty.paired(scores - 0.1)
    flips = np.array(list(product((-1, 1), repeat=8)))
    against = scores - [found_of("neurons", "random", plant) for plant in range(8)]
    by_chance = (abs(flips @ against) >= abs(against.sum()) - 1e-9).mean()
    assert lines[3] == {
        "place": "neurons of a layer",
        "plants": "8",
        "method": "largest gradient",
        "average precision": f"{scores.mean():.2f} ({precision.low:.2f} to {precision.high:.2f})",
        "gain over the twin": f"{scores.mean() - 0.1:+.2f} ({gain.low:.2f} to {gain.high:.2f})",
        "p, twin": "0.016",
        "p, chance": f"{by_chance:.3f}",
        "p, first": "0.016",
        "seconds": "0.50",
    }
    few = words(planted_recommend.draw(tables(2), {}).figure.axes[0].texts)
    assert few.count("\u2013") == 3 * len(KINDS) * len(RIVALS), "two plants have no p-value"


def test_a_gain_of_next_to_nothing_is_not_minus_zero():
    shown = planted_recommend.draw(tables(2), {}).data.head(1).assign(gain=-0.001)
    (line,) = table_rows(planted_recommend._table(shown).axes[0], planted_recommend.HEADER)
    assert line["gain over the twin"] == "+0.00"


def test_needed_weights_are_drawn_against_those_allowed_on_logarithmic_axes():
    """Of plants that reached the criterion: the ninth try of the first kind did not."""
    figure = planted_needed.draw(tables(), {}).figure
    left, right = figure.axes
    assert (left.get_xscale(), left.get_yscale()) == ("log", "log")
    assert left.get_xlabel() == "weights allowed" and left.get_ylabel().startswith("weights needed")
    assert right.get_xlabel().startswith("rise of the NLL") and right.get_ylabel().startswith("growth")
    assert list(legend_of(figure)) == [KIND_LABELS[kind] for kind in KINDS]
    for points, (kind, (n_place, n_units)) in zip(left.collections, SIZES.items(), strict=True):
        assert points.get_label() == KIND_LABELS[kind]
        assert points.get_offsets().tolist() == [[10 * n_units, 3 * n_place + plant] for plant in range(8)]
    rises = np.array([10 + 0.1 * plant**2 for plant in range(8)])
    growth = np.array([(6 + plant) / 4 for plant in range(8)])
    for points, x in zip(right.collections, (rises, np.ones(8), np.ones(8)), strict=True):
        np.testing.assert_allclose(points.get_offsets(), np.column_stack([x, growth]))
    (diagonal,), (limit,) = left.lines, right.lines
    assert list(diagonal.get_xdata()) == list(diagonal.get_ydata()) and limit.get_xdata()[0] == 5
    assert letters_of(figure) == "ab"


def test_plants_of_which_none_reached_the_criterion_have_no_points():
    found = tables(2)
    found["plants"]["reached"] = False
    left, right = planted_needed.draw(found, {}).figure.axes
    assert not left.collections and not right.collections and np.isfinite(left.lines[0].get_xdata()).all()
