"""Figures of planted truth on made-up tables: what they show and say."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from drawn_parts import table_rows, words
from figure_labels import checked

from memloc.figures import planted_curves, planted_needed, planted_precision, planted_recommend
from memloc.figures.parts.methods import BASELINES, method_label, methods_of
from memloc.figures.parts.planted import KIND_LABELS, numbers_of
from memloc.settings.plant_kinds import PLANT_GRANULARITIES
from memloc.statistics import uncertainty

MODULES = (planted_precision, planted_curves, planted_needed, planted_recommend)
SHARE = {"head_vo": 1.0, "neurons": 0.9, "scattered_1": 0.4}  # of what a method finds elsewhere
KINDS = tuple(SHARE)
SIZES = {"head_vo": (1, 32), "neurons": (10, 100), "scattered_1": (5, 1000)}  # units of the place, of all
FOUND = {"parameter_gradient": 0.4, "zero_ablation": 0.9, "weight_size": 1.0, "random": 0.1, "change": 0.97}


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
                    row = {**about, **row, "recall_1": score / 2, "average_precision": score}
                    truth.append(row)
                    if kind == "head_vo":
                        truth.append({**row, "granularity": "weight", "average_precision": 0.0})
                value = SHARE[kind] * FOUND[method] * (1 if plant else 0.5)
                for share in (0.01, 0.1, 1.0):
                    curves.append({**about, "share": share, "kept": value * share, "left": 1 - value * share})
    plants.append({**plants[0], "attempt": 1, "reached": False, "nll_held_out": None, "n_needed": None})
    truth = pd.DataFrame(truth)
    named = {"plants": pd.DataFrame(plants), "planted_truth": truth, "planted_costs": truth}
    return named | {"planted_curves": pd.DataFrame(curves)}


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__.split(".")[-1])
@pytest.mark.parametrize("n", [2, 8])
def test_figures_are_drawn_and_captions_complete(module, n):
    drawing = module.draw(tables(n), {})
    assert checked(module.__name__.split(".")[-1], drawing) and len(drawing.data)


def test_precision_is_drawn_with_its_interval_at_its_method_the_plant_above_the_twin():
    drawing = planted_precision.draw(tables(), {})
    figure, methods = drawing.figure, ("parameter_gradient", "zero_ablation")
    assert words(figure.axes[0].get_yticklabels()) == [method_label(method) for method in methods]
    for panel, kind in zip(figure.axes, SIZES, strict=True):
        chance, size = (line.get_xdata()[0] for line in panel.lines)
        scores = {method: np.array([found_of(kind, method, plant) for plant in range(8)]) for method in FOUND}
        assert (chance, size) == pytest.approx((scores["random"].mean(), scores["weight_size"].mean()))
        faint, lines, plant, _, _, twin = panel.collections
        for place, method in enumerate(methods):
            expected = uncertainty.mean(scores[method])
            (above,) = [x for x, y in plant.get_offsets() if round(y) == place]
            (below,) = [x for x, y in twin.get_offsets() if round(y) == place]
            assert (above, below) == pytest.approx((expected.value, 0.1))
            (ends,) = [ends for ends in lines.get_segments() if round(ends[0, 1]) == place]
            assert ends[:, 0] == pytest.approx((max(expected.low, 0), min(expected.high, 1)))
            shown = sorted(x for x, y in faint.get_offsets() if round(y) == place)
            assert shown == pytest.approx(sorted(scores[method]))
        assert min(plant.get_offsets()[:, 1] % 1) > 0.5 > max(twin.get_offsets()[:, 1] % 1)
    data = drawing.data.query("plants == 'all'").set_index(["measure", "kind", "control", "method"])["value"]
    assert data["recall_1", "neurons", "plant", "zero_ablation"] == pytest.approx(0.4)
    assert set(data.index.get_level_values("method")) == set(FOUND)


def test_the_caption_says_what_plants_do_to_other_text():
    """Medians, of the plants that reached the criterion; nine tries had the first kind."""
    numbers = planted_precision.draw(tables(), {}).numbers
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


def test_methods_come_in_the_order_of_the_table_and_baselines_last():
    rows = pd.DataFrame({"method": ["patching", "random", "mine", "random", "another"]})
    assert methods_of(rows) == ["patching", "mine", "another", "random"]


def test_plants_that_damage_other_text_are_reported_apart():
    found = tables()
    plants = found["plants"]
    plants.loc[(plants["kind"] == "neurons") & (plants["plant"] % 2 == 1), "nll_held_out"] = 4.3
    data = planted_precision.draw(found, {}).data.query("plants == 'without damage'")
    assert set(data["kind"]) == {"neurons", "scattered_1"}
    own = data.query("kind == 'neurons' and method == 'zero_ablation' and control == 'plant'")
    own = own[own["measure"] == "average_precision"].iloc[0]
    assert own["n"] == 4 and own["value"] == pytest.approx(found_of("neurons", "zero_ablation", 0))


def test_what_is_above_one_is_as_far_from_it_as_what_is_below():
    """A method's first units may bring more than all of them together."""
    rows = pd.DataFrame({"share": [0.5, 1.0], "kept": [1.5, 1.0], "left": [0.0, 0.0]})
    labelled = rows.assign(kind="neurons", method="random", plant=0)
    areas = planted_curves.plant_areas(labelled).set_index("area")["value"]
    # From 1 down to 0 and up to 0.5 between shares 0 and 0.5 (drawn from point to point), then down to 0.
    assert areas["cmd"] == pytest.approx(np.trapezoid([1, 0.5, 0], [0, 0.5, 1]))
    assert areas["cpr"] == pytest.approx(np.trapezoid([0, 1.5, 1], [0, 0.5, 1]))


def test_curves_and_areas_are_means_over_plants_of_what_is_planted_and_of_what_is_left():
    """The first of eight plants has half of the others' height."""
    found = tables()
    found["planted_curves"] = found["planted_curves"].iloc[::-1]  # in whatever order
    drawing = planted_curves.draw(found, {})
    above, below = np.array(drawing.figure.axes).reshape(2, 3)
    for kind, kept, left in zip(KINDS, above, below, strict=True):
        for panel, sign, start in ((kept, 1, 0), (left, -1, 1)):
            lines = {line.get_label(): line for line in panel.lines}
            for method in FOUND:
                height = sign * SHARE[kind] * FOUND[method] * 7.5 / 8
                shares, heights = lines[method_label(method)].get_data()
                assert list(shares) == [0.01, 0.1, 1]
                assert heights == pytest.approx([start + height * share for share in shares])
    height = 0.9 * 0.9 * 7.5 / 8
    expected = [height / 2, 1 - height / 2, 1 - height / 2]
    own = drawing.data.set_index(["kind", "method"]).loc[("neurons", "zero_ablation")].iloc[0]
    assert own[["cpr", "cmd", "reverted"]].tolist() == pytest.approx(expected)
    values = uncertainty.mean(1 - 0.9 * 0.9 * np.array([0.5] + 7 * [1.0]) / 2)
    assert own[["cmd_low", "cmd_high"]].tolist() == pytest.approx([values.low, values.high])
    best = drawing.numbers["areas"][1]
    assert (best["kind"], best["method"], best["cmd"].n) == ("neurons of a layer", "zero ablation", 8)
    assert [best[name].value for name in ("cpr", "cmd", "reverted")] == pytest.approx(expected)
    assert best["chance"].value == pytest.approx(1 - 0.9 * 0.1 * 7.5 / 8 / 2)


def test_what_is_recommended_beats_its_twin_and_chance_and_finds_at_least_half():
    """Zero ablation in heads and neurons: of scattered weights it finds too little, as do gradients."""
    drawing = planted_recommend.draw(tables(), {})
    data = drawing.data
    chosen = data[data["recommended"]]
    assert list(zip(chosen["kind"], chosen["method"], strict=True)) == [
        ("head_vo", "zero_ablation"),
        ("neurons", "zero_ablation"),
    ]
    first = data.groupby("kind").first()
    gains = [np.mean([found_of(kind, "zero_ablation", plant) for plant in range(8)]) - 0.1 for kind in KINDS]
    np.testing.assert_allclose(first["gain"], gains)
    assert (
        (first["p_twin"] < 0.05).all() and (first["seconds"] == 0.5).all() and (first["p_first"] == 1).all()
    )
    # Two methods, eight plants with differences of one sign: 2 of 256 flips, times two for the smaller one.
    second = data[data["method"] == "parameter_gradient"]
    np.testing.assert_allclose(second[["p_twin", "p_first"]], 2 * 2 / 256)
    assert (second["p_chance"] > 0.05).all(), "chance finds more of two plants"
    lines = table_rows(drawing.figure.axes[0], planted_recommend.HEADER)
    assert [line["method"] for line in lines] == [
        "zero ablation",
        "zero ablation",
        "none; best: zero ablation",
    ]
    scores = np.array([found_of("neurons", "zero_ablation", plant) for plant in range(8)])
    precision, gain = uncertainty.mean(scores), uncertainty.paired(scores - 0.1)
    by_chance = np.mean([found_of("neurons", "random", plant) for plant in range(8)])
    assert lines[1] == {
        "place": "neurons of a layer",
        "plants": "8",
        "method": "zero ablation",
        "average precision": f"{scores.mean():.2f} ({precision.low:.2f} to {precision.high:.2f})",
        "gain over the twin": f"{scores.mean() - 0.1:+.2f} ({gain.low:.2f} to {gain.high:.2f})",
        "chance": f"{by_chance:.2f}",
        "size alone": f"{np.mean([found_of('neurons', 'weight_size', plant) for plant in range(8)]):.2f}",
        "as the first": "yes",
        "seconds": "0.50",
    }
    few = planted_recommend.draw(tables(2), {})
    assert not few.data["recommended"].any() and few.data["low"].isna().all()
    methods = [line["method"] for line in table_rows(few.figure.axes[0], planted_recommend.HEADER)]
    assert [method.partition(";")[0] for method in methods] == ["undecided", "undecided", "none"]


def test_p_values_are_those_of_all_sign_flips():
    data = planted_recommend.draw(tables(), {}).data.set_index(["kind", "method"])
    scores = np.array([found_of("neurons", "parameter_gradient", plant) for plant in range(8)])
    flips = np.array(list(product((-1, 1), repeat=8)))
    against = scores - [found_of("neurons", "random", plant) for plant in range(8)]
    by_chance = (abs(flips @ against) >= abs(against.sum()) - 1e-9).mean()
    assert data.loc[("neurons", "parameter_gradient"), "p_chance"] == pytest.approx(by_chance)


def test_a_gain_is_that_of_each_plant_over_its_own_twin():
    """What varies between plants as between their twins is no uncertainty."""
    found = tables()
    truth = found["planted_truth"]
    truth.loc[truth["control"] == "twin", "average_precision"] -= 0.02 * (truth["plant"] % 2)
    data = planted_recommend.draw(found, {}).data
    row = data.query("kind == 'neurons' and method == 'zero_ablation'").iloc[0]
    assert row[["gain", "gain_low", "gain_high"]].tolist() == pytest.approx([0.71] * 3)


def test_of_methods_that_find_the_same_the_cheaper_one_comes_first():
    found = tables()
    dear = found["planted_truth"].query("method == 'zero_ablation'")
    dear = dear.assign(method="hard_concrete", seconds=9.0)
    for twin, seconds in ((None, 9.0), (0.2, 0.1)):  # then it is found in its twin as well: a smaller gain
        other = dear.assign(seconds=seconds)
        if twin:
            other.loc[other["control"] == "twin", "average_precision"] = twin
        truth = pd.concat([found["planted_truth"], other])
        data = planted_recommend.draw(found | {"planted_truth": truth, "planted_costs": truth}, {}).data
        shown = data[data["kind"] == "neurons"]["method"].head(2)
        assert shown.tolist() == ["zero_ablation", "hard_concrete"]


def test_needed_weights_are_drawn_against_those_allowed_on_logarithmic_axes():
    """Of plants that reached the criterion: the ninth try of the first kind did not."""
    left, right = planted_needed.draw(tables(), {}).figure.axes
    assert (left.get_xscale(), left.get_yscale()) == ("log", "log")
    for points, (kind, (n_place, n_units)) in zip(left.collections, SIZES.items(), strict=True):
        assert points.get_label() == KIND_LABELS[kind]
        assert points.get_offsets().tolist() == [[10 * n_units, 3 * n_place + plant] for plant in range(8)]
    rises = np.array([10 + 0.1 * plant**2 for plant in range(8)])
    growth = np.array([(6 + plant) / 4 for plant in range(8)])
    for points, x in zip(right.collections, (rises, np.ones(8), np.ones(8)), strict=True):
        np.testing.assert_allclose(points.get_offsets(), np.column_stack([x, growth]))
    found = tables(2)
    found["plants"]["reached"] = False
    left, right = planted_needed.draw(found, {}).figure.axes
    assert not left.collections and not right.collections and np.isfinite(left.lines[0].get_xdata()).all()


def test_baselines_are_no_rows_of_the_figure():
    rows = words(planted_precision.draw(tables(2), {}).figure.axes[0].get_yticklabels())
    assert not {method_label(name) for name in BASELINES} & set(rows)
