"""Figures 6 and 12 on made-up tables: gradients and attention of a layer's heads over an example's tokens."""

import pytest
from drawn import assert_as_stored
from figure_labels import checked
from made_activations import SETTINGS, made_up

from memloc.figures import fig6, fig12
from memloc.figures.parts import token_map

pytestmark = pytest.mark.usefixtures("examples")


@pytest.mark.parametrize(("text", "shown"), [("x" * 18, "x" * 18), (" " * 19, "\u2423" * 17 + "\u2026")])
def test_token_labels_are_visible_and_short(text, shown):
    assert token_map.label(text) == shown


def test_figures_without_a_second_example_or_a_perturbation_that_changes_it(monkeypatch):
    monkeypatch.setattr(fig12, "example_ids", lambda tables: [8])
    tables = made_up()
    tables["perturbed_paragraphs"] = tables["perturbed_paragraphs"].query("id != 8")
    drawing = fig12.draw(tables, SETTINGS)
    assert drawing.numbers["example"]["id"] == 8
    assert "triangle" not in checked("fig12", drawing)
    assert "triangle" not in checked("fig6", fig6.draw(tables, SETTINGS))


@pytest.mark.parametrize("module", [fig6, fig12])
def test_heads_that_share_keys_are_drawn_as_stored(module):
    assert_as_stored(module.__name__.rpartition(".")[2], module.draw(made_up(n_kv_heads=2), SETTINGS))
