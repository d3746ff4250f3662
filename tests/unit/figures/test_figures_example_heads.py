"""Figures 6 and 12 on made-up tables: gradients and attention of a layer's heads over an example's tokens."""

import numpy as np
import pandas as pd
import pytest
from drawn_parts import words
from figure_labels import checked
from made_activations import N_PREFIX, SETTINGS, TEXTS, made_up, map_values, panels
from made_settings import changed

from memloc.figures import fig6, fig12
from memloc.figures.parts import token_map
from memloc.figures.parts.style import COLOURS, subplots

pytestmark = pytest.mark.usefixtures("examples")


def triangles(axes) -> list[int]:
    """Positions that triangles above a map mark."""
    return [text.xy[0] for text in axes.texts if text.get_text() == "\u25bc"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (" of", "\u2423of"),
        ("\n", "\u21b5"),
        (" internationalization_of", "\u2423internationaliza\u2026"),
        ("x" * 18, "x" * 18),
        ("x" * 19, "x" * 17 + "\u2026"),
    ],
)
def test_token_labels_are_visible_and_short(text, shown):
    assert token_map.label(text) == shown


def test_a_token_map_draws_head_0_on_top_and_outlines_a_row():
    _, axes = subplots(2, 4)
    token_map.draw_map(axes, pd.DataFrame([[5.0, 1], [2, 3], [4, 8]]), "share", highlight=1)
    (mesh,) = axes.collections
    assert mesh.get_clim() == (0, 8)
    assert axes.get_ylim() == (2.5, -0.5)
    (outline,) = axes.patches
    assert mesh.get_array().tolist() == [[5, 1], [2, 3], [4, 8]] and axes.get_yticks().tolist() == [0, 1, 2]
    assert (outline.get_xy(), outline.get_width(), outline.get_height()) == ((-0.5, 0.5), 2, 1)


def wide_of(tables, paragraph, layer, name="attention"):
    """Heads x prefix positions of a paragraph, of attention or of the gradients of values."""
    if name == "attention":
        rows = tables["attention"].query("id == @paragraph and layer == @layer")
        return rows.pivot(index="head", columns="position", values="attention")
    rows = tables["activation_gradients"].query("group == 'memorized' and position < @N_PREFIX")
    rows = rows.query("id == @paragraph and layer == @layer").astype({"head": int})
    return rows.pivot(index="head", columns="position", values="max_abs")


def shown_tokens(tables, paragraph):
    tokens = tables["paragraphs"].set_index("id")["tokens"][paragraph][:N_PREFIX]
    return [TEXTS[token] for token in tokens]


def test_figure_6_shows_the_example_in_the_layer_of_the_head_and_marks_the_perturbed_token():
    tables = made_up(n_kv_heads=2)
    drawing = fig6.draw(tables, SETTINGS)
    top, bottom = panels(drawing)
    np.testing.assert_array_equal(map_values(top), wide_of(tables, 8, 1, "gradient"))
    np.testing.assert_array_equal(map_values(bottom), wide_of(tables, 8, 1))
    assert bottom.get_ylim() == (3.5, -0.5)  # head 0 on top
    outlined = [axes.patches[0].get_xy()[1] + 0.5 for axes in (top, bottom)]
    assert outlined == [1, 2], "the key-value head of the query head"
    assert (top.get_ylabel(), bottom.get_ylabel()) == ("key/value head", "head")
    assert "the values of every key/value head" in checked("fig6", drawing)
    tokens = shown_tokens(tables, 8)
    assert [triangles(axes) for axes in (top, bottom)] == [[0], [0]]
    labels = bottom.get_xticklabels()
    assert words(labels) == [token_map.label(text) for text in tokens]
    assert [label.get_color() == COLOURS["perturbed"] for label in labels] == [True] + [False] * 9
    written = drawing.data.query("panel == 'attention' and head == 0").sort_values("position")
    assert written["token"].tolist() == tokens


def test_figure_6_tells_what_heads_do_at_the_marked_token():
    tables = made_up()
    drawing = fig6.draw(tables, SETTINGS)
    for name in ("gradient", "attention"):
        wide, found = wide_of(tables, 8, 1, name), drawing.numbers[name]
        assert found["value"] == pytest.approx(wide.loc[2, 0])
        assert (found["top_head"], found["top_value"]) == (wide[0].to_numpy().argmax(), wide[0].max())
    assert "triangle" in checked("fig6", drawing)


@pytest.mark.parametrize(("layer", "shown"), [(0, 1), (1, 2), (2, 1)])
def test_figure_12_shows_the_next_layer_of_figure_6s_paragraph(layer, shown):
    tables = made_up(3, 4)
    drawing = fig12.draw(tables, changed(SETTINGS, highlight={"layer": layer, "head": 2}))
    nll, em, below = panels(drawing)
    wide, tokens, numbers = wide_of(tables, 8, shown), shown_tokens(tables, 8), drawing.numbers
    np.testing.assert_array_equal(map_values(below), wide)
    assert not below.patches, "the head is of the other layer"
    assert words(below.get_xticklabels()) == [token_map.label(text) for text in tokens]
    assert triangles(below) == [0]
    curve = tables["perturbation"].query("id == 3 and position >= 0")
    assert nll.lines[0].get_ydata().tolist() == curve["nll_original"].tolist()
    assert em.lines[0].get_ydata().tolist() == curve["em"].tolist()
    assert (numbers["other"], numbers["example"]["id"]) == (shown, 3)
    assert numbers["marked"] == token_map.label(tokens[0])
    assert (numbers["top_head"], numbers["top_value"]) == (wide[0].argmax(), wide[0].max())


def test_figures_without_a_second_example_or_a_perturbation_that_changes_it(monkeypatch):
    monkeypatch.setattr(fig12, "example_ids", lambda tables: [8])
    tables = made_up()
    tables["perturbed_paragraphs"] = tables["perturbed_paragraphs"].query("id != 8")
    drawing = fig12.draw(tables, SETTINGS)
    assert drawing.numbers["example"]["id"] == 8
    assert "triangle" not in checked("fig12", drawing)
    assert "triangle" not in checked("fig6", fig6.draw(tables, SETTINGS))
