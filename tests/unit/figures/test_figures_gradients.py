"""Gradient figures on made-up tables: the plotted numbers, the captions, and labels that can be read."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from drawn_parts import colour_of, is_red_above_zero, legend_of, letters_of, lying_bars, outlined, words
from figure_labels import clipped_labels, drawn_labels, overlapping_labels
from made_settings import changed
from matplotlib.collections import QuadMesh
from matplotlib.colors import to_hex

from memloc.figures import fig4, fig9, gradient_similarity
from memloc.figures.parts.gradient_summary import layer_numbers
from memloc.figures.parts.heatmap import NO_HEAD, heat_map, layer_bars, layer_matrix, query_head_scores
from memloc.figures.parts.style import COLOURS, Drawing, subplots
from memloc.run.templates import fill
from memloc.settings.sections import sections

REPORT = Path(__file__).parents[3] / "workflow" / "report"
SETTINGS = sections(
    {
        "sets": {"split_by": "em"},
        "highlight": {"layer": 1, "head": 2},
        "paragraph": {"length": 100, "prefix": 50},
        "contrastive": {"nll_weight": 0.5, "learning_rate": 1e-5},
    }
)
GROUPS = ("memorized", "non_memorized", "partly_11_29", "partly_30_49", "contrastive")
MODULES = (fig4, fig9, gradient_similarity)


def components(
    n_layers: int, n_heads: int, n_kv_heads: int | None = None, gated: bool = False
) -> pd.DataFrame:
    """Rows layer, component, head as component tables have them, in the order of the weights' table."""
    n_kv_heads = n_kv_heads or n_heads
    heads = {"W_Q": n_heads, "W_K": n_kv_heads, "W_V": n_kv_heads, "W_O": n_heads}
    blocks = ["W_in", "W_out", *(["W_gate"] if gated else [])]
    rows = [
        (layer, component, head)
        for layer in range(n_layers)
        for component in [*heads, *blocks]
        for head in (range(heads[component]) if component in heads else [None])
    ]
    frame = pd.DataFrame(rows, columns=["layer", "component", "head"])
    return frame.astype({"head": "Int64"})


def made_up(n_layers: int, n_heads: int, scale: float = 1e-3, **options) -> dict[str, pd.DataFrame]:
    """Tables with random gradients and cosines."""
    rng, base = np.random.default_rng(0), components(n_layers, n_heads, **options)
    frames = []
    for group in GROUPS:
        size = rng.gamma(1.0, scale, len(base))
        norm = size * 2 if group == "contrastive" else np.nan
        more = {"max_abs": size, "sum_abs": 40 * size, "n_weights": 64, "nll_term_norm": norm}
        frames.append(base.assign(group=group, **more, kl_term_norm=norm * 1e-6))
    names = np.repeat(GROUPS[:4], 3)
    return {
        "parameter_gradients": pd.concat(frames, ignore_index=True),
        "gradient_similarity": base.assign(cosine=rng.uniform(-1, 1, len(base))),
        "sets": pd.DataFrame({"id": range(len(names)), "set": names, "sampled": True}),
    }


def maps(drawing: Drawing) -> list[np.ndarray]:
    """Values of every layers x components map of a figure, in reading order (colour bars left out)."""
    found = [
        artist for axes in drawing.figure.axes for artist in axes.collections if axes.get_ylabel() == "layer"
    ]
    return [mesh.get_array() for mesh in found if isinstance(mesh, QuadMesh)]


def test_columns_are_ordered_by_component_and_head():
    frame = components(2, 2, gated=True).sample(frac=1, random_state=0).assign(value=1.0)
    columns = list(layer_matrix(frame, "value").columns)
    assert columns[:4] == [("W_K", 0), ("W_K", 1), ("W_Q", 0), ("W_Q", 1)]
    assert columns[-3:] == [("W_in", NO_HEAD), ("W_gate", NO_HEAD), ("W_out", NO_HEAD)]


def test_a_component_that_is_there_twice_is_refused():
    frame = pd.concat([components(1, 2)] * 2).assign(value=1.0)
    with pytest.raises(ValueError, match="duplicate"):
        layer_matrix(frame, "value")


def test_query_heads_share_the_scores_of_their_key_value_head():
    frame = components(1, 4, n_kv_heads=2).assign(value=0.0)
    frame.loc[(frame["component"] == "W_V") & (frame["head"] == 1), "value"] = 5.0
    frame.loc[(frame["component"] == "W_O") & (frame["head"] == 0), "value"] = 3.0
    frame.loc[frame["component"] == "W_in", "value"] = 9.0
    assert query_head_scores(layer_matrix(frame, "value")).loc[0].tolist() == [3.0, 0.0, 5.0, 5.0]


def test_the_outline_marks_the_head_in_every_attention_component():
    _, axes = subplots()
    frame = components(2, 4, n_kv_heads=2).assign(value=1.0)
    heat_map(axes, layer_matrix(frame, "value"), highlight=(1, 3))
    corners = sorted(patch.get_xy() for patch in axes.patches)
    assert corners == [(1, 0.5), (2 + 3, 0.5), (6 + 1, 0.5), (8 + 3, 0.5)]  # W_K, W_Q, W_V, W_O
    labels = {minor: axes.get_xticklabels(minor=minor) for minor in (False, True)}
    heads = [(label.get_position()[0], label.get_text()) for label in labels[True]]
    assert heads == [(place + 0.5, head) for place, head in enumerate("010123010123")]
    names = {label.get_text(): label.get_position()[0] for label in labels[False]}
    names |= {text.get_text(): text.xy[0] for text in axes.texts}
    assert names == {"W_K": 1, "W_Q": 4, "W_V": 7, "W_O": 10, "W_in": 12.5, "W_out": 13.5}
    edges = axes.collections[0].get_coordinates()[0, :, 0]
    assert edges.tolist() == list(range(15)) and axes.get_xlim() == (0, 14)
    brackets = [line.get_xdata() for line in axes.lines if list(line.get_ydata()) == [0, 0]]
    assert np.mean(brackets, axis=1).tolist() == [1, 4, 7, 10]


def test_numbers_that_are_left_out_of_wide_and_deep_maps_shift_no_others():
    figure, axes = subplots(4, 2)
    heat_map(axes, layer_matrix(components(30, 32).assign(value=1.0), "value"))
    figure.canvas.draw()
    heads = [(label.get_position()[0], int(label.get_text())) for label in axes.get_xticklabels(minor=True)]
    assert len(heads) < 4 * 32 and all((place - 0.5) % 32 == head for place, head in heads)
    layers = axes.get_yticks().tolist()
    assert words(axes.get_yticklabels()) == list(map(str, layers)) and len(layers) < 30


@pytest.mark.parametrize(("lowest", "left"), [(-0.5, -0.5), (0.5, 0)])
def test_bars_are_drawn_whole_and_from_zero(lowest, left):
    _, axes = subplots()
    layer_bars(axes, pd.DataFrame({"mean": [1.0, lowest]}), ["0.4"], "mean")
    assert axes.get_xlim()[0] == left if left == 0 else axes.get_xlim()[0] < left


def test_layer_0_is_at_the_bottom_and_every_cell_in_its_place():
    tables = made_up(3, 2)
    drawing = fig4.draw(tables, changed(SETTINGS, highlight={"layer": 1, "head": 1}))
    axes = drawing.figure.axes[0]
    assert axes.get_ylim() == (-0.5, 2.5)
    values = maps(drawing)[0]
    frame = tables["parameter_gradients"].query("group == 'memorized' and component == 'W_V'")
    assert values[0, 4:6].tolist() == frame.query("layer == 0")["max_abs"].tolist()
    assert values[2, 4:6].tolist() == frame.query("layer == 2")["max_abs"].tolist()


def test_figure_4_plots_each_group_and_its_layer_sums():
    tables = made_up(4, 8)
    drawing = fig4.draw(tables, SETTINGS)
    assert set(drawing.data["group"]) == {"memorized", "non_memorized", "contrastive"}
    axes = drawing.figure.axes
    by_group = dict(tuple(tables["parameter_gradients"].groupby("group")))
    groups = {"a": "memorized", "b": "non_memorized", "c": "contrastive"}
    titles = ["memorized", "non-memorized", "contrastive, after one step"]
    assert [left.get_title() for left in axes[:6:2]] == titles
    for (letter, group), values, left, right in zip(
        groups.items(), maps(drawing), axes[:6:2], axes[1:6:2], strict=True
    ):
        rows = by_group[group]
        assert values.sum() == pytest.approx(rows["max_abs"].sum())
        sums = rows.groupby("layer")["max_abs"].sum()
        (bars,) = lying_bars(right)
        assert bars == pytest.approx(np.column_stack([range(4), sums]))
        assert colour_of(right.patches[0]) == colour_of(left.title) == COLOURS[group]
        assert (left.get_title(loc="left"), right.get_xlabel()) == (letter, "layer sum")
        assert outlined(left) == [(2, 1), (10, 1), (18, 1), (26, 1)]
    assert [each.get_ylabel() for each in axes].count("max |gradient|") == 3


def test_figure_4_gives_the_numbers_of_the_run():
    tables = made_up(4, 8)
    frame = tables["parameter_gradients"]
    frame[["max_abs", "sum_abs"]] = [1.0, 10.0]
    memorized = frame["group"] == "memorized"
    frame.loc[memorized & (frame["layer"] < 2), ["max_abs", "sum_abs"]] = [3.0, 30.0]
    frame.loc[frame["group"] == "non_memorized", "sum_abs"] = 70.0
    culprit = memorized & (frame["layer"] == 0) & (frame["component"] == "W_V") & (frame["head"] == 5)
    frame.loc[culprit, "max_abs"] = 4.0
    numbers = fig4.draw(tables, SETTINGS).numbers
    found = numbers["groups"]["memorized"]
    assert found["strongest"] == "W_V of head 5 in layer 0"
    assert (found["rank"], found["n_heads"]) == (2, 32)
    assert found["lower_share_max"] == pytest.approx((2 * 34 * 3 + 1) / (2 * 34 * 4 + 1))
    assert found["max"] == 4 and found["lower_share_sum"] == pytest.approx(0.75)
    assert numbers["ratio"] == pytest.approx(3.5)
    assert numbers["groups"]["non_memorized"]["lower_share_max"] == pytest.approx(0.5)
    contrastive = frame[frame["group"] == "contrastive"]
    assert numbers["nll_term_norm"] == pytest.approx(np.linalg.norm(contrastive["nll_term_norm"]))
    assert numbers["kl_term_norm"] == pytest.approx(1e-6 * numbers["nll_term_norm"])
    caption = fill((REPORT / "fig4.rst").read_text(), numbers | {"study": "s"})
    assert "is 3.5 times that of memorized ones" in caption
    assert "-0.5 times that of the memorized paragraphs" in caption
    assert "rate 1e-05" in caption and "the lower half of the layers (2 of 4)" in caption
    assert "hold" not in caption
    assert layer_numbers(pd.DataFrame({"layer": range(5)})) == {"n_layers": 5, "n_lower": 2}


def test_figure_9_sums_attention_and_mlp_weights_of_every_layer():
    tables = made_up(2, 3)
    rows = tables["parameter_gradients"].query("group == 'partly_11_29'")
    sums = fig9.block_sums(rows)
    attention = rows["component"].isin(["W_Q", "W_K", "W_V", "W_O"])
    for layer in range(2):
        inside = rows["layer"] == layer
        assert sums.loc[layer, "attention"] == pytest.approx(rows.loc[inside & attention, "sum_abs"].sum())
        assert sums.loc[layer, "MLP"] == pytest.approx(rows.loc[inside & ~attention, "sum_abs"].sum())
    drawing = fig9.draw(tables, SETTINGS)
    axes = drawing.figure.axes
    dark, light = lying_bars(axes[3])  # second row: partly_11_29
    assert dark == pytest.approx(np.column_stack([[0.2, 1.2], sums["attention"]]))
    assert light == pytest.approx(np.column_stack([[-0.2, 0.8], sums["MLP"]]))
    shades = [to_hex("0.2"), to_hex("0.65")]
    assert [colour_of(bars[0]) for bars in axes[3].containers] == shades
    assert axes[3].get_xlabel() == "sum |gradient|"
    assert legend_of(axes[1]) == dict(zip(["attention", "MLP"], shades, strict=True))
    groups = ("non_memorized", "partly_11_29", "partly_30_49", "memorized")
    assert letters_of(drawing.figure) == "abcd"
    titles = ["non-memorized", "partly (11\u201329)", "partly (30\u201349)", "memorized"]
    assert [left.get_title() for left in axes[:8:2]] == titles
    for group, left, values in zip(groups, axes[:8:2], maps(drawing), strict=True):
        rows = tables["parameter_gradients"].query(f"group == '{group}'")
        assert values.sum() == pytest.approx(rows["max_abs"].sum())
        assert outlined(left) == [(2, 1), (5, 1), (8, 1), (11, 1)]
    assert [each.get_ylabel() for each in axes].count("max |gradient|") == 4


def test_figures_4_and_9_count_sampled_paragraphs():
    tables = made_up(2, 3)
    more = pd.DataFrame({"id": range(90, 95), "set": ["memorized"] * 2 + ["non_memorized"] * 3})
    tables["sets"] = pd.concat([tables["sets"], more.assign(sampled=more["id"] == 94)])
    numbers = fig4.draw(tables, SETTINGS).numbers
    assert (numbers["n_memorized"], numbers["n_non_memorized"]) == (3, 4)
    numbers = fig9.draw(tables, SETTINGS).numbers
    assert [found["n"] for found in numbers["groups"].values()] == [4, 3, 3, 3]


def test_figure_9_gives_sums_and_the_share_of_attention_of_each_bin():
    tables = made_up(2, 3)
    rows = tables["parameter_gradients"]
    rows["sum_abs"] = np.where(rows["component"].str.startswith("W_i"), 9.0, 1.0) * (3 - 2 * rows["layer"])
    found = fig9.draw(tables, SETTINGS).numbers["groups"]["memorized"]
    assert found["sum"] == pytest.approx(4 * (12 + 9 + 1)) != rows["max_abs"].sum()
    assert found["lower_share_sum"] == pytest.approx(3 / 4)
    assert found["max"] == rows.query("group == 'memorized'")["max_abs"].max()
    assert found["attention_share"] == pytest.approx(12 / (12 + 9 + 1))


def test_figure_9_leaves_out_bins_without_paragraphs():
    tables = made_up(2, 3)
    frame = tables["parameter_gradients"]
    tables["parameter_gradients"] = frame[frame["group"] != "partly_30_49"]
    drawing = fig9.draw(tables, SETTINGS)
    assert len(maps(drawing)) == 3
    assert list(drawing.numbers["groups"]) == ["non_memorized", "partly_11_29", "memorized"]


def test_figure_9_warns_of_bins_of_different_sizes():
    tables = made_up(2, 3)
    template = (REPORT / "fig9.rst").read_text()
    assert "differ in size" not in fill(template, fig9.draw(tables, SETTINGS).numbers | {"study": "s"})
    tables["sets"] = tables["sets"].iloc[1:]
    assert "differ in size" in fill(template, fig9.draw(tables, SETTINGS).numbers | {"study": "s"})


def test_figure_9_decides_nothing():
    caption = fill(
        (REPORT / "fig9.rst").read_text(), fig9.draw(made_up(2, 3), SETTINGS).numbers | {"study": "s"}
    )
    assert not any(word in caption for word in ("falls", "rises", "holds"))


def test_similarity_shows_cosines_around_zero_and_marks_missing_ones():
    tables = made_up(2, 3)
    frame = tables["gradient_similarity"]
    frame.loc[0, "cosine"] = np.nan
    frame.loc[1, "cosine"] = -0.999
    drawing = gradient_similarity.draw(tables, SETTINGS)
    mesh = next(artist for artist in drawing.figure.axes[0].collections if isinstance(artist, QuadMesh))
    assert mesh.get_clim() == pytest.approx((-0.999, 0.999))
    assert np.ma.getmaskarray(mesh.get_array()).sum() == 1
    assert drawing.numbers["n_undefined"] == 1
    assert drawing.numbers["min"] == pytest.approx(-0.999)
    assert is_red_above_zero(mesh) and len(set(mesh.cmap.get_bad()[:3])) == 1  # missing: grey
    values = frame.query("layer == 1 and component == 'W_V'")["cosine"]
    assert mesh.get_array()[1, 6:9].tolist() == values.tolist()
    left, right = drawing.figure.axes[:2]
    assert outlined(left) == [(2, 1), (5, 1), (8, 1), (11, 1)]
    (bars,) = lying_bars(right)
    assert bars == pytest.approx(np.column_stack([range(2), frame.groupby("layer")["cosine"].mean()]))
    assert right.get_xlabel() == "mean"
    assert [axes.get_ylabel() for axes in drawing.figure.axes][2:] == ["cosine similarity"]
    numbers, largest = drawing.numbers, frame.sort_values("cosine").dropna(subset="cosine").iloc[-1]
    assert (numbers["max"], numbers["mean"]) == pytest.approx((largest["cosine"], frame["cosine"].mean()))
    assert numbers["largest"].startswith(f"{largest['component']} of ")
    assert numbers["largest"].endswith(f"layer {largest['layer']}")
    assert (numbers["n_components"], numbers["n_negative"]) == (28, sum(frame["cosine"] < 0))


SHAPES = {
    "test": (2, 4, {}),
    "mini": (4, 8, {}),
    "gpt-neo-125m": (12, 12, {}),
    "grouped queries, gated": (30, 9, {"n_kv_heads": 3, "gated": True}),
    "many heads": (24, 32, {}),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__.split(".")[-1])
def test_labels_are_on_the_page_and_apart(module, shape):
    n_layers, n_heads, options = SHAPES[shape]
    figure = module.draw(made_up(n_layers, n_heads, **options), SETTINGS).figure
    assert clipped_labels(figure) == []
    assert overlapping_labels(figure) == []


@pytest.mark.parametrize("scale", [3e-7, 0.02, 5e4])
def test_labels_stay_apart_whatever_the_size_of_gradients(scale):
    figure = fig9.draw(made_up(4, 8, scale=scale), SETTINGS).figure
    assert clipped_labels(figure) == []
    assert overlapping_labels(figure) == []


def test_every_head_of_gpt_neo_125m_has_its_number():
    figure = gradient_similarity.draw(made_up(12, 12), SETTINGS).figure
    texts = [text for text, _ in drawn_labels(figure)]
    assert sum(text == "10" for text in texts) == 4 + 1  # four components, and layer 10
    assert all(texts.count(name) == 1 for name in ("W_K", "W_Q", "W_V", "W_O", "W_in", "W_out"))


def test_the_label_check_sees_overlaps_and_clipping():
    figure, axes = subplots(3, 2)
    axes.text(0.5, 0.5, "one")
    axes.text(0.51, 0.5, "two")
    figure.text(0.99, 0.5, "cut off")
    assert ("one", "two") in overlapping_labels(figure)
    assert clipped_labels(figure) == ["cut off"]


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__.split(".")[-1])
def test_captions_find_their_numbers(module):
    name = module.__name__.split(".")[-1]
    numbers = module.draw(made_up(4, 8), SETTINGS).numbers
    caption = fill((REPORT / f"{name}.rst").read_text(), numbers | {"study": "made-up"})
    assert "study made-up" in caption
    assert "head 2 of layer 1" in caption


def test_gradient_figures_import_no_model_library():
    names = ", ".join(module.__name__ for module in MODULES)
    heavy = {"torch", "transformers", "transformer_lens", "pandera"}
    code = f"import sys, {names}; print({heavy} & set(sys.modules))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "set()"
