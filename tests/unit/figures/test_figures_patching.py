"""Figure 11: plotted numbers, captions, readable labels."""

import numpy as np
import pandas as pd
from figure_labels import checked
from made_tables import crossed

from memloc.figures import fig11
from memloc.settings.sections import sections
from memloc.tables.terms.patching import DIRECTIONS

SETTINGS = sections({"highlight": {"layer": 1, "head": 2}})
PLACES = {7: (3, 50), 4: (49, 50), 9: (48, 51), 12: (46, 50)}  # id: perturbed and impact position


def made_up(n_layers: int = 2, n_heads: int = 4, n_kv_heads: int | None = None, places=PLACES) -> dict:
    """Tables of random changes for a pair of each id of `places`."""
    random = np.random.default_rng(0)
    heads = {"q": n_heads, "k": n_kv_heads or n_heads, "v": n_kv_heads or n_heads}
    sites = {"id": list(places), "layer": range(n_layers), "component": list("qkv"), "head": range(n_heads)}
    exact = crossed(direction=DIRECTIONS, **sites)
    exact = exact[exact["head"] < exact["component"].map(heads)]
    return {
        "patching": exact.assign(nll_change=random.normal(size=len(exact)), method="exact"),
        "attribution_patching": exact.assign(nll_change=random.normal(size=len(exact))),
        "perturbed_paragraphs": pd.DataFrame(
            {
                "id": list(places),
                "position": [perturbed for perturbed, _ in places.values()],
                "impact_position": [impact for _, impact in places.values()],
            }
        ),
    }


def test_labels_are_readable_in_a_larger_model():
    assert checked("fig11", fig11.draw(made_up(12, 12), SETTINGS))


def test_fig11_marks_the_cells_whose_interval_excludes_zero():
    tables = made_up(places=dict.fromkeys(range(8), (3, 50)))
    rows = tables["patching"]
    head = (rows["component"] == "q") & (rows["layer"] == 1) & (rows["head"] == 3)
    rows["nll_change"] = np.where(head, 2 - rows["direction"].map(DIRECTIONS.index) * 4, rows["id"] - 3.5)
    rows["nll_change"] += rows["id"] / 100
    drawing = fig11.draw(tables, SETTINGS)
    for axes, others in zip(drawing.figure.axes, (1, 2), strict=False):
        marks = [found.get_offsets().tolist() for found in axes.collections[1:]]
        assert marks == ([[[7.5, 1]], []] if others == 1 else [[], [[7.5, 1]]]), "up above 0, down below it"
    assert ": 2 of 48 cells have an interval without 0 (triangles), by chance 2." in checked("fig11", drawing)


def test_fig11_says_where_heads_share_keys_and_values():
    tables = made_up(n_kv_heads=2)
    rows = tables["patching"]
    rows.loc[(rows["component"] == "v") & (rows["layer"] == 0) & (rows["head"] == 1), "nll_change"] = 9.0
    text = checked("fig11", fig11.draw(tables, SETTINGS))
    assert "Largest: v of key/value head 1 in layer 0" in text
    assert "key/value" not in checked("fig11", fig11.draw(made_up(), SETTINGS))


def test_fig11_says_that_patches_were_estimated():
    tables = made_up()
    text = checked("fig11", fig11.draw(tables, SETTINGS))
    assert "Estimated from gradients" not in text
    tables["patching"] = tables["attribution_patching"].assign(method="attribution")
    text = checked("fig11", fig11.draw(tables, SETTINGS))
    assert "Estimated from gradients" in text
