"""Figures of planted truth on made-up tables: what they show and say."""

import itertools

import numpy as np
import pandas as pd
import pytest
from drawn_parts import words
from figure_labels import checked

from memloc.figures import planted_precision, twins
from memloc.figures.parts.methods import method_label, methods_of
from memloc.settings.planted_truth import GRANULARITIES
from memloc.settings.sections import sections
from memloc.statistics import uncertainty

SHARE = {"heads": 1.0, "neurons": 0.9, "weights": 0.4}  # of what a method finds elsewhere
KINDS = tuple(SHARE)
SETTINGS = sections({"paragraph": {"length": 100, "prefix": 50}})
SIZES = {"n_units": 5, "n_place": 2}
FOUND = {"parameter_gradient": 0.4, "zero_ablation": 0.9, "weight_size": 1.0, "random": 0.1, "change": 0.97}


# Of all places of two units among five, one by one.
ORDERS = [np.sort(place) for place in itertools.combinations(range(1, 6), 2)]
EXPECTED = np.mean([(np.arange(1, 3) / place).mean() for place in ORDERS])


def found_of(kind, method, plant):
    """Average precision; by chance, two plants are found better than by gradients."""
    return 0.6 if method == "random" and plant < 2 else SHARE[kind] * FOUND[method] - 0.02 * (plant % 2)


def tables(n=8):
    plants, truth = [], []
    for kind in KINDS:
        for plant in range(n):
            labels = {"kind": kind, "plant": plant, "attempt": 0, "id": 10 + plant}
            rise = (1.1 if kind == "heads" else 1.01) + 0.001 * plant**2 * (kind == "heads")
            texts = {"nll_held_out_before": 4.0, "nll_held_out": 4.0 * rise, "em_memorized_before": 42.0}
            texts |= {"own_kept": 1.0, "norm": 2.0 if kind == "heads" else 1.2}
            plants.append({**labels, **texts, "em_memorized": 40.0 - plant**2 / 2, "reached": True})
            for method in FOUND:
                about = {**labels, "method": method, "granularity": GRANULARITIES[kind][0], **SIZES}
                for control, score in (("plant", found_of(kind, method, plant)), ("twin", 0.1)):
                    row = {**about, "control": control, "recall_1": score / 2, "average_precision": score}
                    truth.append(row)
                    if kind == "heads":
                        truth.append({**row, "granularity": "weight", "average_precision": 0.0})
    plants.append({**plants[0], "attempt": 1, "reached": False, "nll_held_out": None})
    return {"plants": pd.DataFrame(plants), "planted_truth": pd.DataFrame(truth)}


@pytest.mark.parametrize("n", [2, 8])
def test_the_figure_is_drawn_and_its_caption_complete(n):
    drawing = planted_precision.draw(tables(n), {})
    assert checked("planted_precision", drawing) and len(drawing.data)


def test_grown_memories_have_panels_of_their_own_and_are_counted():
    made = tables()
    grown = made["planted_truth"].query("kind == 'neurons' and plant < 7").assign(kind="grown_neurons")
    swapped = grown.assign(plant=grown["plant"] + 7, average_precision=grown["average_precision"] / 2)
    made["planted_truth"] = pd.concat([made["planted_truth"], grown, swapped])
    drawing = planted_precision.draw(made, {})
    assert words(panel.title for panel in drawing.figure.axes)[0].split() == [
        "grown:",
        "neurons",
        "of",
        "a",
        "layer",
    ]
    (legend,) = drawing.figure.legends
    assert words(legend.texts)[2:] == ["plant or memory", "its twin"]
    caption = checked("planted_precision", drawing)
    assert (
        "14 memories that are recited, by the model or its swap twin, of 7 paragraphs. Means: par" in caption
    )
    # Of both models: three quarters of 0.9 times 0.4, 0.9 and 1, less 0.02 in every second plant.
    assert "Means: parameter gradients 0.26, zero ablation 0.60, \\|weight\\| 0.67." in caption
    row = drawing.data.query("kind == 'grown_neurons' and method == 'zero_ablation' and control == 'plant'")
    own = np.array([found_of("neurons", "zero_ablation", plant) for plant in range(7)])
    expected = uncertainty.mean(0.75 * own)  # of both models, by paragraph
    first = row.query("plants == 'all' and measure == 'average_precision'").iloc[0]
    assert (first["n"], first["value"], first["low"]) == pytest.approx((7, expected.value, expected.low))


def test_exchanged_places_are_drawn_and_described():
    rng = np.random.default_rng(0)
    names = [*twins.SHOWN, "nll_others_swapped", "norm"]
    rows = pd.DataFrame({name: rng.random(8) for name in names}).assign(em=[50] * 3 + [49] + [50] * 4)
    rows = rows.assign(kind=["grown_heads"] * 4 + ["grown_weights"] * 4, leak=[0.2, 0.1, 0.4, 9, *[0.5] * 4])
    drawing = twins.draw({"twins": rows}, SETTINGS)
    heads, weights = drawing.figure.axes
    assert len(heads.lines) == 4 and len(weights.lines) == 5, "every memory that took, and the median"
    kept = rows.iloc[:3]
    assert (
        heads.get_ylim()[0] == 0
        and heads.get_ylim()[1] >= rows.loc[rows["em"] == 50, [*twins.SHOWN]].max().max()
    )
    assert heads.lines[-1].get_ydata() == pytest.approx(kept[list(twins.SHOWN)].median())
    said = checked("twins", drawing)
    assert "3 of 4 memories" in said and "80% of the memory" in said and "60% to 90%" in said
    assert f"from {kept['nll'].median():.2f} to {kept['nll_swapped'].median():.2f}" in said


def test_precision_is_drawn_with_its_interval_at_its_method_the_plant_above_the_twin():
    drawing = planted_precision.draw(tables(), {})
    figure, methods = drawing.figure, ("parameter_gradient", "zero_ablation")
    assert words(figure.axes[0].get_yticklabels()) == [method_label(method) for method in methods]
    for panel, kind in zip(figure.axes, KINDS, strict=True):
        chance, size = (line.get_xdata()[0] for line in panel.lines)
        scores = {method: np.array([found_of(kind, method, plant) for plant in range(8)]) for method in FOUND}
        assert (chance, size) == pytest.approx((EXPECTED, scores["weight_size"].mean()))
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
        "kind": "planted: heads of a layer",
        "n_reached": 8,
        "n_tries": 9,
        "n_intact": 0,
        "damage": f"+{100 * np.median(rises):.1f} %",
        "em_memorized": f"{np.median(left):.0f}",
    }
    assert (second["damage"], second["n_tries"], second["n_intact"]) == ("+1.0 %", 8, 3)


def test_a_study_in_which_no_plant_is_recited_says_so():
    made = tables(2)
    made["plants"] = made["plants"].assign(reached=False, own_kept=np.nan)
    drawing = planted_precision.draw(made | {"planted_truth": made["planted_truth"].iloc[:0]}, {})
    assert words(panel.title for panel in drawing.figure.axes) == ["no plant reached the criterion"]
    assert "0 plants reached the criterion in 3 tries" in checked("planted_precision", drawing)


def test_what_is_not_known_of_plants_is_said_to_be_unknown():
    plants = tables(2)["plants"]
    (nowhere, *_), (unmeasured, *_) = (
        planted_precision.numbers_of(plants.assign(**change))
        for change in ({"reached": False}, {"em_memorized": np.nan})
    )
    assert (nowhere["n_reached"], nowhere["n_tries"], nowhere["damage"]) == (0, 3, "unknown")
    assert nowhere["em_memorized"] == unmeasured["em_memorized"] == "unknown" != unmeasured["damage"]


def test_methods_come_in_the_order_of_the_table_and_baselines_last():
    rows = pd.DataFrame({"method": ["patching", "random", "mine", "random", "another"]})
    assert methods_of(rows) == ["patching", "mine", "another", "random"]


def test_plants_that_leave_other_text_intact_are_reported_apart():
    """Plants 0 to 2 leave nine tenths of 42 tokens, and one of them harms own continuations."""
    found = tables()
    plants = found["plants"]
    plants.loc[(plants["kind"] == "neurons") & (plants["plant"] == 1), "own_kept"] = 0.89
    data = planted_precision.draw(found, {}).data.query("plants == 'intact'")
    assert set(data["kind"]) == {"neurons", "weights"}
    own = data.query("kind == 'neurons' and method == 'zero_ablation' and control == 'plant'")
    own = own[own["measure"] == "average_precision"].iloc[0]
    assert own["n"] == 2 and own["value"] == pytest.approx(found_of("neurons", "zero_ablation", 0))
