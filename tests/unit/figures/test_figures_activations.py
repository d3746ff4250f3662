"""Activation figures on made-up tables: the plotted numbers, the captions, and labels that can be read.

Figures 6 and 12: test_figures_example_heads.py; entropies: test_figures_entropy.py.
"""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from drawn_parts import colour_of, is_red_above_zero, legend_of, lying_bars, outlined
from figure_labels import clipped_labels, drawn_labels, overlapping_labels
from made_activations import SETTINGS, made_up, map_values, panels
from matplotlib.colors import to_hex

from memloc.figures import (
    activation_bins,
    activation_similarity,
    attention_entropy,
    fig6,
    fig10,
    fig12,
    forward_similarity,
)
from memloc.figures.parts.style import COLOURS
from memloc.run.templates import fill

REPORT = Path(__file__).parents[3] / "workflow" / "report"
MODULES = (fig6, fig10, fig12, attention_entropy, activation_bins, activation_similarity, forward_similarity)
pytestmark = pytest.mark.usefixtures("examples")


SHAPES = {
    "test": (2, 4, {}),
    "mini": (4, 8, {}),
    "gpt-neo-125m": (12, 12, {}),
    "grouped queries": (30, 9, {"n_kv_heads": 3}),
    "many heads": (24, 32, {}),
    "small gradients": (4, 8, {"scale": 3e-7}),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__.split(".")[-1])
def test_labels_are_on_the_page_and_apart(module, shape):
    n_layers, n_heads, options = SHAPES[shape]
    figure = module.draw(made_up(n_layers, n_heads, **options), SETTINGS).figure
    assert clipped_labels(figure) == []
    assert overlapping_labels(figure) == []


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__.split(".")[-1])
def test_captions_find_their_numbers(module):
    name = module.__name__.split(".")[-1]
    numbers = module.draw(made_up(4, 8), SETTINGS).numbers
    caption = fill((REPORT / f"{name}.rst").read_text(), numbers | {"study": "made-up"})
    assert "study made-up" in caption
    assert "nan" not in caption.split() and ("head 2 of layer 1" in caption or module is fig6)


def test_activation_figures_import_no_model_library():
    names = ", ".join(module.__name__ for module in MODULES)
    heavy = {"torch", "transformers", "transformer_lens", "pandera"}
    code = f"import sys, {names}; print({heavy} & set(sys.modules))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "set()"


def test_figure_10_averages_paragraphs_and_gives_both_positions_of_a_group_one_scale():
    tables = made_up()
    drawing = fig10.draw(tables, SETTINGS)
    rows = tables["impact_gradients"].query(
        "group == 'perturbed' and role == 'impact' and layer == 1 and id != 21"
    )
    top_left, top_right, bottom_left, bottom_right = panels(drawing)
    queries = map_values(bottom_right)[1][4:]  # keys come first
    expected = rows.query("component == 'q'").groupby("head")["max_abs"].mean()
    assert queries.tolist() == pytest.approx(expected.tolist())
    shown = [
        ("memorized", "perturbed", "memorized, perturbed token"),
        ("perturbed", "perturbed", "perturbed memorized, perturbed token"),
        ("memorized", "impact", "memorized, before impact token"),
        ("perturbed", "impact", "perturbed memorized, before impact token"),
    ]
    for axes, (group, role, title), letter in zip(panels(drawing), shown, "abcd", strict=True):
        rows = tables["impact_gradients"].query(f"group == '{group}' and role == '{role}' and id != 21")
        means = rows.groupby(["component", "layer", "head"])["max_abs"].mean()
        np.testing.assert_allclose(map_values(axes), np.hstack([means["k"].unstack(), means["q"].unstack()]))
        assert (axes.get_title(), axes.get_title(loc="left")) == (title, letter)
        assert colour_of(axes.title) == COLOURS[group] and outlined(axes) == [(2, 1), (6, 1)]
    limits = [axes.collections[0].get_clim()[1] for axes in (top_left, bottom_left, top_right, bottom_right)]
    assert limits[0] == limits[1] == pytest.approx(drawing.data.query("group == 'memorized'").max_abs.max())
    assert limits[2] == limits[3] == pytest.approx(drawing.data.query("group == 'perturbed'").max_abs.max())


def test_figure_10_compares_the_queries_of_both_positions():
    tables = made_up()
    frame = tables["impact_gradients"]
    queries = (frame["component"] == "q") & (frame["role"] == "impact")
    frame.loc[queries, "max_abs"] *= 10
    numbers = fig10.draw(tables, SETTINGS).numbers
    shown = frame.query("component == 'q' and group == 'memorized' and id != 21")
    means = shown.groupby("role")["max_abs"].mean()
    assert numbers["query_growth"]["memorized"] == pytest.approx(means["impact"] / means["perturbed"])
    everything = frame.query("component == 'q' and group == 'memorized'").groupby("role")["max_abs"].mean()
    growth = everything["impact"] / everything["perturbed"]
    assert numbers["query_growth_all"]["memorized"] == pytest.approx(growth)
    keys = frame.query("group == 'memorized' and id != 21 and component == 'k' and role == 'impact'")
    assert numbers["panels"]["memorized"]["impact"]["query_to_key"] == pytest.approx(
        shown.query("role == 'impact'")["max_abs"].mean() / keys["max_abs"].mean()
    )


def test_figure_10_names_the_strongest_of_each_panel():
    tables = made_up(3)
    frame = tables["impact_gradients"]
    places = {
        ("memorized", "perturbed"): ("k", 0, 1),
        ("memorized", "impact"): ("q", 2, 3),
        ("perturbed", "perturbed"): ("q", 1, 0),
        ("perturbed", "impact"): ("k", 0, 2),
    }
    frame["max_abs"] = np.where(frame["role"] == "impact", 20.0, 10.0)
    frame.loc[frame["group"] == "memorized", "max_abs"] = 1.0
    for (group, role), (component, layer, head) in places.items():
        labels = frame[["group", "role", "component", "layer", "head"]].astype(object)
        here = (labels == [group, role, component, layer, head]).all(axis=1)
        frame.loc[here, "max_abs"] *= 5
    numbers = fig10.draw(tables, SETTINGS).numbers
    for (group, role), (component, layer, head) in places.items():
        found = numbers["panels"][group][role]
        assert found["strongest"] == f"{component} of head {head} in layer {layer}"
        assert found["layer"] == layer
    assert numbers["ratio"] == pytest.approx({"perturbed": 10, "impact": 20})


def test_figure_10_leaves_out_pairs_whose_two_positions_are_one():
    tables = made_up()
    frame = tables["impact_gradients"]
    drawing = fig10.draw(tables, SETTINGS)
    shown = frame[frame["id"] != 21].groupby(["group", "role"])["max_abs"].mean()
    found = drawing.data.groupby(["group", "role"])["max_abs"].mean()
    assert found.to_dict() == pytest.approx(shown.to_dict())
    assert (drawing.numbers["n_pairs"], drawing.numbers["n_all"]) == (2, 3)
    text = " ".join(fill((REPORT / "fig10.rst").read_text(), drawing.numbers | {"study": "s"}).split())
    assert "are left out (1 of 3)" in text and "over all 3 pairs" in text
    tables["impact_gradients"] = frame[frame["id"] == 21]
    drawing = fig10.draw(tables, SETTINGS)
    assert drawing.numbers["n_pairs"] == 1
    text = fill((REPORT / "fig10.rst").read_text(), drawing.numbers | {"study": "s"})
    assert "In all pairs these two positions are the same" in text and "over all" not in text


def test_every_map_of_figure_10_has_its_colour_bar():
    axes = fig10.draw(made_up(), SETTINGS).figure.axes
    assert [each.get_ylabel() for each in axes].count("max |gradient|") == 4


def test_every_map_of_activation_similarity_names_its_components():
    figure = activation_similarity.draw(made_up(4, 8), SETTINGS).figure
    texts = [text for text, _ in drawn_labels(figure)]
    assert all(texts.count(name) == 3 for name in ("k", "q", "v", "z", "pre", "post"))


def test_activation_similarity_shows_the_sets_and_the_halves_of_each():
    tables = made_up()
    drawing = activation_similarity.draw(tables, SETTINGS)
    columns = ("cosine", "cosine_memorized", "cosine_non_memorized")
    first = tables["activation_similarity"].query("layer == 0 and component == 'k' and head == 1")
    titles = ["memorized and non-memorized", "two halves of memorized", "two halves of non-memorized"]
    assert [axes.get_title() for axes in panels(drawing)[::2]] == titles
    means = tables["activation_similarity"].groupby("layer")[[*columns]].mean()
    assert [axes.get_ylabel() for axes in drawing.figure.axes[6:]] == ["cosine similarity"] * 3
    assert [axes.get_title(loc="left") for axes in panels(drawing)[::2]] == ["a", "b", "c"]
    for axes, right, column in zip(panels(drawing)[::2], panels(drawing)[1::2], columns, strict=True):
        assert map_values(axes)[0, 1] == first[column].item()
        assert axes.collections[0].get_clim() == (-1, 1) and is_red_above_zero(axes.collections[0])
        assert outlined(axes) == [(2, 1), (6, 1), (10, 1), (14, 1)]
        (bars,) = lying_bars(right)
        assert bars == pytest.approx(np.column_stack([range(2), means[column]]))
        ends = min(0, means.to_numpy().min()), means.to_numpy().max()
        assert right.get_xlim() == pytest.approx(ends) and right.get_xlabel() == "mean"
        assert drawing.numbers["means"][column] == pytest.approx(
            tables["activation_similarity"][column].mean()
        )


def test_forward_similarity_shows_pairs_and_other_paragraphs_at_both_positions():
    tables = made_up()
    rows = tables["forward_similarity"]
    rows.loc[(rows["layer"] == 0) & (rows["component"] == "pre"), "cosine"] = np.nan
    drawing = forward_similarity.draw(tables, SETTINGS)
    numbers = drawing.numbers["roles"]
    assert (numbers["perturbed"]["n_pairs"], numbers["impact"]["n_pairs"]) == (3, 2)
    top, top_bars, bottom, bottom_bars = panels(drawing)
    assert (top.get_title(), bottom.get_title()) == ("perturbed token", "token before the impact token")
    assert [axes.get_ylabel() for axes in drawing.figure.axes[4:]] == ["cosine similarity"] * 2
    assert [axes.get_title(loc="left") for axes in (top, bottom)] == ["a", "b"]
    colours = [COLOURS["perturbed"], to_hex("0.7")]
    kinds = ["perturbed version", "another paragraph"]
    assert legend_of(top_bars) == dict(zip(kinds, colours, strict=True))
    assert drawing.numbers["n_pairs"] == 3
    for axes, bars, role in ((top, top_bars, "perturbed"), (bottom, bottom_bars, "impact")):
        shown = rows[(rows["role"] == role) & ((role == "perturbed") | (rows["id"] != 21))]
        key = shown.query("layer == 1 and component == 'k' and head == 3")
        assert map_values(axes)[1, 3] == pytest.approx(key["cosine"].mean())
        assert axes.collections[0].get_clim() == (-1, 1)
        assert outlined(axes) == [(2, 1), (6, 1), (10, 1), (14, 1)]
        assert [colour_of(container[0]) for container in bars.containers] == colours
        assert bars.get_xlabel() == "mean"
        assert numbers[role]["mean"] == pytest.approx(shown["cosine"].mean())
        assert numbers[role]["n_undefined"] == 1
        assert numbers[role]["mean_other"] == pytest.approx(shown["cosine_other"].mean())
        means = shown.groupby(["layer", "component", "head"], observed=True, dropna=False)["cosine"].mean()
        assert numbers[role]["min"] == pytest.approx(means.min())
        layer, component, head = means.idxmin()
        of_head = "" if pd.isna(head) else f"head {head:.0f} in "
        assert numbers[role]["least"] == f"{component} of {of_head}layer {layer}"
        layers = shown.groupby("layer")[["cosine", "cosine_other"]].mean()
        widths = [bar.get_width() for container in bars.containers for bar in container]
        assert widths == pytest.approx([*layers["cosine"], *layers["cosine_other"]])


def test_pairs_whose_two_positions_are_all_one_are_shown_at_both():
    tables = made_up()
    tables["forward_similarity"] = tables["forward_similarity"].query("id == 21")
    numbers = forward_similarity.draw(tables, SETTINGS).numbers["roles"]
    assert [numbers[role]["n_pairs"] for role in ("perturbed", "impact")] == [1, 1]


def test_activation_similarity_counts_what_its_caption_says():
    tables = made_up()
    data = tables["activation_similarity"]
    data["cosine"], data["cosine_memorized"], data["cosine_non_memorized"] = 0.5, 0.9, 0.6
    data.loc[3, "cosine"] = 0.8
    data.loc[5, "cosine"], data.loc[5, "cosine_memorized"] = -0.2, np.nan
    data.loc[7, ["cosine", "cosine_non_memorized"]] = np.nan
    data.loc[9, "cosine_memorized"] = 0.95
    numbers = activation_similarity.draw(tables, SETTINGS).numbers
    n_components = len(data)
    assert numbers["n_components"] == n_components
    assert numbers["n_below_halves"] == n_components - 2  # without rows 3 and 7
    assert numbers["n_undefined"] == 1
    assert (numbers["max"], numbers["min"]) == (0.8, -0.2)
    row = data.loc[3]
    assert numbers["largest"] == f"{row['component']} of head {row['head']} in layer {row['layer']}"


def test_activation_bins_show_each_bin_and_leave_out_empty_ones():
    tables = made_up(4, 8)
    drawing = activation_bins.draw(tables, SETTINGS)
    sums = tables["activation_bins"].groupby("group")["mean_max_abs"].sum()
    assert {group: numbers["sum"] for group, numbers in drawing.numbers["groups"].items()} == pytest.approx(
        sums.to_dict()
    )
    assert [numbers["n"] for numbers in drawing.numbers["groups"].values()] == [7, 8, 9, 10]
    labels = ["non-memorized", "partly (3\u20135)", "partly (6\u20139)", "memorized"]
    assert [axes.get_ylabel() for axes in drawing.figure.axes[8:]] == ["mean max |gradient|"] * 4
    assert [axes.get_title(loc="left") for axes in panels(drawing)[::2]] == list("abcd")
    assert [numbers["label"] for numbers in drawing.numbers["groups"].values()] == labels
    assert [axes.get_title() for axes in panels(drawing)[::2]] == labels
    for place, (group, numbers) in enumerate(drawing.numbers["groups"].items()):
        rows = tables["activation_bins"][tables["activation_bins"]["group"] == group]
        left, right = panels(drawing)[2 * place : 2 * place + 2]
        key = rows.query("layer == 3 and component == 'k' and head == 5")["mean_max_abs"].item()
        assert left.collections[0].get_clim() == (0, rows["mean_max_abs"].max())
        assert map_values(left)[3, 5] == key and outlined(left) == [(2, 1), (10, 1), (18, 1), (26, 1)]
        (bars,) = lying_bars(right)
        sums = rows.groupby("layer")["mean_max_abs"].sum()
        assert bars == pytest.approx(np.column_stack([range(4), sums]))
        assert colour_of(right.patches[0]) == colour_of(left.title) == COLOURS[group]
        assert right.get_xlabel() == "layer sum"
        row = rows.loc[rows["mean_max_abs"].idxmax()]
        assert numbers["strongest"].startswith(f"{row['component']} of ")
        assert numbers["strongest"].endswith(f"layer {row['layer']}")
    rows = tables["activation_bins"]
    fewer = tables | {"activation_bins": rows[rows["group"] != "partly_30_49"]}
    assert list(activation_bins.draw(fewer, SETTINGS).numbers["groups"]) == [
        "non_memorized",
        "partly_11_29",
        "memorized",
    ]
