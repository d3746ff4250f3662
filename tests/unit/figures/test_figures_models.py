"""Figures across models, on tables made up so that every number is known."""

import numpy as np
import pandas as pd
import pytest
from drawn import assert_as_stored
from figure_labels import SETTINGS, checked
from made_tables import crossed

from memloc.figures import models_memorized

SIZES = {"small": (2, 4), "middle": (3, 6), "large-long.name": (6, 8)}  # layers, heads
SUITE = {
    f"pythia-{size}": (6 + 2 * place, 8) for place, size in enumerate(("70m", "160m", "410m", "1b", "1.4b"))
}


def tables_of(sizes: dict[str, tuple[int, int]]) -> dict[str, pd.DataFrame]:
    names = ("models", "paragraphs", "scores", "sets")
    frames = {name: [] for name in names}
    ids = np.arange(400)
    paragraphs = pd.DataFrame({"id": ids, "count": np.where(ids < 200, 2 ** (ids % 8), 1)})
    paragraphs = paragraphs.assign(text=[f"text {i}" for i in ids], cut_count=None, continuation_count=None)
    for place, (model, (n_layers, n_heads)) in enumerate(sizes.items()):
        memorized = (ids < 200) & (ids % 8 >= 6 - 2 * place)
        found = {
            "models": crossed(n_parameters=[10 ** (5 + place)], n_layers=[n_layers], n_heads=[n_heads]),
            "paragraphs": paragraphs,
            "scores": pd.DataFrame({"id": ids, "em": np.where(memorized, 50, 20)}),
            "sets": pd.DataFrame({"id": ids, "set": np.where(memorized, "memorized", "partly_11_29")}),
        }
        for name, frame in found.items():
            frames[name].append(frame.assign(model=model))
    return {name: pd.concat(parts, ignore_index=True) for name, parts in frames.items()}


@pytest.fixture(scope="module")
def made_up() -> dict[str, pd.DataFrame]:
    return tables_of(SIZES)


@pytest.mark.parametrize("sizes", [SIZES, SUITE], ids=["sizes", "suite"])
def test_labels_are_readable_and_captions_complete(sizes):
    drawing = models_memorized.draw(tables_of(sizes), SETTINGS)
    assert checked("models_memorized", drawing) and len(drawing.data)


def test_models_of_one_size_stand_side_by_side(made_up):
    sizes = {"one": 1000, "different": [10**5, 10**6, 10**7], "two": [1000, 1000, 2000]}
    models = {name: made_up["models"].assign(n_parameters=n) for name, n in sizes.items()}
    drawings = {n: models_memorized.draw(made_up | {"models": own}, SETTINGS) for n, own in models.items()}
    axes = drawings["one"].figure.axes[0]
    assert {float(line.get_xdata()[0]) for line in axes.lines if len(line.get_xdata()) == 1} == {0, 1, 2}
    assert axes.get_xlabel() == "models of 1,000 parameters"
    said = {name: checked("models_memorized", drawing) for name, drawing in drawings.items()}
    alone = [name for name in said if "Each size is one trained model" in said[name]]
    assert alone == ["different"] and "model by model" in said["one"]
    assert "50 are recited by all of them and 150 by at least one." in said["one"]
    assert "small” memorized least, 12.5 (9.4 to 16.1) %" in said["one"]


def test_the_rate_on_unseen_paragraphs_stands_beside_that_on_seen_ones(made_up):
    """Ten unseen paragraphs of two models, one of which recites three of them; the third has none."""
    ids, recited = np.arange(1000, 1010), {"small": 0, "middle": 3}
    more = {
        "scores": [
            pd.DataFrame({"id": ids, "em": np.where(ids < 1000 + n, 50, 49), "model": model})
            for model, n in recited.items()
        ],
        "sets": [pd.DataFrame({"id": ids, "set": "unseen", "model": model}) for model in recited],
    }
    tables = made_up | {name: pd.concat([made_up[name], *parts]) for name, parts in more.items()}
    text = models_memorized.draw(tables, SETTINGS).numbers["unseen"]
    assert text == "Of unseen paragraphs, \u201cmiddle\u201d recites most, 30.0 (6.7 to 65.2) %."
    assert "is known to be unseen" in models_memorized.draw(made_up, SETTINGS).numbers["unseen"]


def test_it_is_drawn_as_stored(made_up):
    assert_as_stored("models_memorized", models_memorized.draw(made_up, SETTINGS))
