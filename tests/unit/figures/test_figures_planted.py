"""Figures of planted truth on made-up tables: what they say, and that their captions are complete."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt

from memloc.figures import (
    planted_curves,
    planted_needed,
    planted_precision,
    planted_rank,
    planted_recall,
    planted_recommend,
)
from memloc.figures.parts.planted import label
from memloc.run.templates import fill
from memloc.statistics import uncertainty
from memloc.tables.terms import PLANT_GRANULARITIES

REPORT = Path(__file__).parents[3] / "workflow" / "report"
MODULES = {
    "planted_recall": planted_recall,
    "planted_precision": planted_precision,
    "planted_curves": planted_curves,
    "planted_rank": planted_rank,
    "planted_needed": planted_needed,
    "planted_recommend": planted_recommend,
}
KINDS = ("head_vo", "neurons", "scattered_1")
FOUND = {"gradient_largest": 0.4, "zero_ablation": 0.9, "weight_size": 1.0, "random": 0.1, "change": 1.0}


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def tables(n=8):
    plants, truth, curves = [], [], []
    for kind in KINDS:
        for plant in range(n):
            labels = {"kind": kind, "plant": plant, "attempt": 0}
            rise = 1.1 if kind == "head_vo" else 1.01
            sizes = {"n_allowed": 1000, "n_needed": 300 + plant, "norm_before": 1.0, "norm": 2.0}
            texts = {"nll_held_out_before": 4.0, "nll_held_out": 4.0 * rise, "em_memorized_before": 50.0}
            plants.append({**labels, **sizes, **texts, "em_memorized": 40.0, "reached": True})
            for method, value in FOUND.items():
                about = {**labels, "method": method, "granularity": PLANT_GRANULARITIES[kind][0]}
                for control, level in (("plant", 0.3), ("plant", 0.03), ("twin", 0.3)):
                    score = value - 0.02 * (plant % 2) if control == "plant" else 0.1
                    row = {"control": control, "level": level, "criterion": level == 0.3, "seconds": 0.5}
                    found = {"recall_1": score, "average_precision": score, "rank": 2.0}
                    truth.append({**about, **row, **found, "n_units": 32, "n_place": 1})
                for share in (0.01, 0.1, 1.0):
                    point = {"share": share, "kept": value * share, "left": 1 - value * share}
                    curves.append({**about, "control": "plant", "level": 0.3, "criterion": True, **point})
    plants.append({**plants[0], "attempt": 1, "reached": False, "nll_held_out": None, "n_needed": None})
    truth = pd.DataFrame(truth)
    named = {"plants": pd.DataFrame(plants), "planted_truth": truth, "planted_costs": truth}
    return named | {"planted_curves": pd.DataFrame(curves)}


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
    assert own["value"] == pytest.approx(0.89) and own["n"] == 8
    assert own["low"] < 0.89 < own["high"]


def test_plants_that_damage_other_text_are_reported_apart():
    drawing = planted_precision.draw(tables(), {})
    assert [row["n_damaging"] for row in drawing.numbers["kinds"]] == [8, 0, 0]
    harmless = drawing.data[drawing.data["plants"] == "without damage"]
    assert set(harmless["kind"]) == {"neurons", "scattered_1"}
    assert drawing.numbers["kinds"][0]["n_tries"] == 9


def test_areas_are_those_of_the_curve():
    data = planted_curves.draw(tables(), {}).data.set_index(["kind", "method"])
    own = data.loc[("neurons", "zero_ablation")].iloc[0]
    assert own["cpr"] == pytest.approx(0.9 / 2)
    assert own["cmd"] == pytest.approx(1 - 0.9 / 2)
    assert own["reverted"] == pytest.approx(1 - 0.9 / 2)


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


def test_what_is_recommended_beats_its_twin_and_is_no_baseline():
    data = planted_recommend.draw(tables(), {}).data
    first = data.groupby("kind").first()
    assert set(first["method"]) == {"zero_ablation"}
    np.testing.assert_allclose(first["gain"], 0.79)
    assert (first["p_twin"] < 0.05).all() and (first["seconds"] == 0.5).all()
    assert (first["p_chance"] < 0.05).all() and (first["p_first"] == 1).all()
    # Two methods, eight plants with differences of one sign: 2 of 256 flips, times two for the smaller one.
    second = data[data["method"] == "gradient_largest"]
    np.testing.assert_allclose(second["p_first"], 2 * 2 / 256)
    few = planted_recommend.draw(tables(2), {}).data
    assert few["low"].isna().all() and few["gain_low"].isna().all()


def test_of_methods_that_find_the_same_the_cheaper_one_is_recommended():
    found = tables()
    dear = (
        found["planted_truth"].query("method == 'zero_ablation'").assign(method="hard_concrete", seconds=9.0)
    )
    truth = pd.concat([found["planted_truth"], dear])
    data = planted_recommend.draw(found | {"planted_truth": truth, "planted_costs": truth}, {}).data
    shown = data[data["kind"] == "neurons"].head(2)
    assert shown["method"].tolist() == ["zero_ablation", "hard_concrete"] and shown["value"].nunique() == 1


def test_the_matrices_of_plants_and_twins_are_their_own():
    """Every method scores 0.1 in twins, and what it scores in plants is written into the first matrix."""
    figure = planted_precision.draw(tables(), {}).figure
    plant, twin = figure.axes[:2]
    assert (plant.get_title(), twin.get_title()) == ("the plant", "the unplanted twin")
    assert {text.get_text() for text in twin.texts} == {"0.10"}
    written = sorted({text.get_text() for text in plant.texts})
    assert written == sorted({f"{value - 0.01:.2f}" for value in FOUND.values()})


def test_the_three_best_methods_of_each_kind_are_written_down():
    figure = planted_recommend.draw(tables(), {}).figure
    shown = [text.get_text() for text in figure.findobj(plt.Text)]
    assert shown.count(label("zero_ablation")) == shown.count(label("gradient_largest")) == 3
    assert label("weight_size") not in shown and "0.50" in shown


def test_needed_weights_are_drawn_against_those_allowed_on_logarithmic_axes():
    left, right = planted_needed.draw(tables(), {}).figure.axes
    assert (left.get_xscale(), left.get_yscale()) == ("log", "log")
    assert left.get_xlabel() == "weights allowed" and left.get_ylabel().startswith("weights needed")
    assert right.get_xlabel().startswith("rise of the NLL") and right.get_ylabel().startswith("growth")
