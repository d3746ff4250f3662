"""Figures of grown memories on made-up tables: what they show and say."""

import numpy as np
import pandas as pd
import pytest
from drawn import assert_as_stored, words
from figure_labels import SETTINGS, checked

from memloc.figures import grown_precision, twins
from memloc.figures.parts.methods import methods_of
from memloc.settings.model import GROWN_GRANULARITIES
from memloc.statistics import uncertainty

SHARE = {"grown_heads": 1.0, "grown_neurons": 0.9, "grown_weights": 0.4}  # of what a method finds elsewhere
SHARE |= {"grown_two_layers": 0.8, "grown_everywhere": 0.3}
KINDS = tuple(SHARE)
SIZES = {"n_units": 5, "n_place": 2}
FOUND = {"parameter_gradient": 0.4, "zero_ablation": 0.9, "weight_size": 1.0, "random": 0.1, "oracle": 0.97}


def found_of(kind, method, memory):
    """Average precision; by chance, two memories are found better than by gradients."""
    return 0.6 if method == "random" and memory < 2 else SHARE[kind] * FOUND[method] - 0.02 * (memory % 2)


def tables(n=8):
    truth = []
    for kind in KINDS:
        for memory in range(n):
            labels = {"kind": kind, "memory": memory, "id": 10 + memory}
            for method in FOUND:
                about = {**labels, "method": method, "granularity": GROWN_GRANULARITIES[kind][0], **SIZES}
                for asked_model, score in (("own", found_of(kind, method, memory)), ("twin", 0.1)):
                    row = {
                        **about,
                        "asked_model": asked_model,
                        "recall": score / 2,
                        "average_precision": score,
                        "auroc_in_layer": None if kind == "grown_weights" else (1 + score) / 2,
                    }
                    truth.append(row)
                    if kind == "grown_heads":
                        truth.append({**row, "granularity": "weight", "average_precision": 0.0})
    return {"grown_truth": pd.DataFrame(truth)}


def test_labels_can_be_read_and_the_caption_is_complete_also_of_two_memories():
    assert checked("grown_precision", grown_precision.draw(tables(2), {}))


def test_a_paragraph_that_grew_in_both_twins_counts_once():
    own = tables()["grown_truth"].query("kind == 'grown_neurons' and memory < 8")
    swapped = own.assign(memory=own["memory"] + 8, average_precision=own["average_precision"] / 2)
    drawing = grown_precision.draw({"grown_truth": pd.concat([own, swapped])}, {})
    assert words(panel.title for panel in drawing.figure.axes) == ["grown: neurons of a layer"]
    (legend,) = drawing.figure.legends
    assert words(legend.texts)[2:] == ["its own model", "its twin"]
    caption = checked("grown_precision", drawing)
    # Of both models: three quarters of 0.9 times 0.9 and 1, less 0.02 in every second memory.
    assert "neurons of a layer (n = 8), zero ablation 0.60 (" in caption and ", 0.67." in caption
    row = drawing.data.query("method == 'zero_ablation' and asked_model == 'own'")
    own = np.array([found_of("grown_neurons", "zero_ablation", memory) for memory in range(8)])
    expected = uncertainty.mean(0.75 * own)  # of both models, by paragraph
    first = row.query("measure == 'average_precision'").iloc[0]
    assert (first["n"], first["value"], first["low"]) == pytest.approx((8, expected.value, expected.low))


def test_exchanged_places_of_memories_that_took_are_drawn_as_stored():
    rng = np.random.default_rng(0)
    rows = pd.DataFrame({name: rng.random(8) for name in twins.SHOWN}).assign(em=[50] * 3 + [49] + [50] * 4)
    rows = rows.assign(kind=["grown_heads"] * 4 + ["grown_weights"] * 4, leak=[0.2, 0.1, 0.4, 9, *[0.5] * 4])
    drawing = twins.draw({"twins": rows}, SETTINGS)
    assert_as_stored("twins", drawing)
    assert "three heads 80 % (3 of 4);" in checked("twins", drawing)
    lost = twins.draw({"twins": rows.assign(em=49)}, SETTINGS)
    assert "three heads (0 of 4); " in checked("twins", lost)
    every = pd.concat([rows, rows.assign(kind="grown_everywhere"), rows.assign(kind="grown_two_layers")])
    said = checked(
        "twins", twins.draw({"twins": pd.concat([every, rows.assign(kind="grown_neurons")])}, SETTINGS)
    )
    assert said.endswith("What grows everywhere is in the first twin, too.")


def test_what_is_only_asked_about_has_panels_and_only_layers_have_an_auroc():
    drawing = grown_precision.draw(tables(), {})
    titles = words(panel.title for panel in drawing.figure.axes)
    assert [" ".join(title.split()[1:]) for title in titles][3:] == ["heads of two layers", "everywhere"]
    within = drawing.data.query("measure == 'auroc_in_layer'")
    assert set(within["kind"]) == set(KINDS) - {"grown_weights"}


def test_a_study_in_which_no_memory_is_recited_says_so():
    drawing = grown_precision.draw({"grown_truth": tables(2)["grown_truth"].iloc[:0]}, {})
    assert words(panel.title for panel in drawing.figure.axes) == ["no memory is recited"]
    assert checked("grown_precision", drawing) and drawing.data.empty


def test_methods_come_in_the_order_of_the_table_and_baselines_last():
    rows = pd.DataFrame({"method": ["patching", "random", "mine", "random", "another"]})
    assert methods_of(rows) == ["patching", "mine", "another", "random"]


def test_precision_is_drawn_as_stored():
    drawing = grown_precision.draw(tables(), {})
    assert_as_stored("grown_precision", drawing)
    assert checked("grown_precision", drawing)
