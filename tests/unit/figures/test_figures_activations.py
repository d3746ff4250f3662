"""Activation figures on made-up tables: the plotted numbers, the captions, and labels that can be read."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from figure_labels import clipped_labels, drawn_labels, overlapping_labels
from made_settings import changed
from matplotlib import pyplot as plt
from matplotlib.collections import QuadMesh
from scipy import optimize, stats

from memloc.figures import (
    activation_bins,
    activation_similarity,
    attention_entropy,
    fig6,
    fig10,
    fig12,
    forward_similarity,
)
from memloc.figures.parts import token_map
from memloc.figures.parts.style import COLOURS, subplots
from memloc.localization.head_profiles import correlation_of_profiles, correlation_with_others, share_below
from memloc.localization.highlight import highlighted_head
from memloc.run.templates import fill
from memloc.settings.sections import sections

REPORT = Path(__file__).parents[3] / "workflow" / "report"
N_PREFIX, LENGTH = 10, 20
SETTINGS = sections(
    {
        "highlight": {"layer": 1, "head": 2},
        "paragraph": {"prefix": N_PREFIX, "length": LENGTH},
        "sets": {"split_by": "em"},
    }
)
MEMORIZED, OTHERS = [3, 8, 21], [4, 30, 31]
MODULES = (fig6, fig10, fig12, attention_entropy, activation_bins, activation_similarity, forward_similarity)
TEXTS = ["the", " of", "\n\n    ", "\t", "Washington", " internationalization_of_everything", ".", " "]


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def crossed(**axes) -> pd.DataFrame:
    """One row per combination of values."""
    return pd.MultiIndex.from_product(axes.values(), names=axes).to_frame(index=False)


def components(n_layers: int, heads: dict[str, int | None]) -> pd.DataFrame:
    """Rows layer, component, head; components of no heads have a single row with a null head."""
    rows = [
        (layer, component, head)
        for layer in range(n_layers)
        for component, n_heads in heads.items()
        for head in ([None] if n_heads is None else range(n_heads))
    ]
    return pd.DataFrame(rows, columns=["layer", "component", "head"]).astype({"head": "Int16"})


def perturbation(rng: np.random.Generator) -> pd.DataFrame:
    """One draw for every position of the memorized paragraphs, and their unperturbed rows."""
    frame = crossed(id=MEMORIZED, position=range(-1, N_PREFIX)).assign(set="memorized", draw=0, token=5)
    em = np.where(frame["position"] < 0, LENGTH - N_PREFIX, rng.integers(LENGTH - N_PREFIX, size=len(frame)))
    return frame.assign(em=em, nll_original=rng.uniform(0, 3, len(frame)))


def made_up(
    n_layers: int = 2, n_heads: int = 4, n_kv_heads: int | None = None, scale: float = 1e-3
) -> dict[str, pd.DataFrame]:
    """Tables with random gradients and attention of three memorized and three other paragraphs."""
    rng, n_kv_heads = np.random.default_rng(0), n_kv_heads or n_heads
    heads = {"q": n_heads, "k": n_kv_heads, "v": n_kv_heads, "z": n_heads, "pre": None, "post": None}
    every = components(n_layers, heads)
    gradients = every[every["component"] == "v"].merge(
        crossed(group=["memorized", "perturbed"], id=MEMORIZED, position=range(LENGTH - 1)), how="cross"
    )
    impact = every[every["component"].isin(["q", "k"])].merge(
        crossed(group=["memorized", "perturbed"], id=MEMORIZED, role=["perturbed", "impact"]), how="cross"
    )
    forward = every.merge(crossed(id=MEMORIZED, role=["perturbed", "impact"]), how="cross")
    attention = crossed(
        id=MEMORIZED + OTHERS, layer=range(n_layers), head=range(n_heads), position=range(N_PREFIX)
    )
    entropy = crossed(id=MEMORIZED + OTHERS, layer=range(n_layers), head=range(n_heads))
    cosines = ("cosine", "cosine_memorized", "cosine_non_memorized")
    ids = MEMORIZED + OTHERS
    tokens = [rng.integers(len(TEXTS), size=LENGTH) for _ in ids]
    return {
        "activation_gradients": gradients.assign(max_abs=rng.gamma(1, scale, len(gradients))),
        "impact_gradients": impact.assign(
            max_abs=rng.gamma(1, scale, len(impact)),
            position=np.where((impact["role"] == "impact") | (impact["id"] == 21), 9, 4),
        ),
        "attention": attention.assign(
            attention=rng.dirichlet(np.ones(N_PREFIX), len(attention) // N_PREFIX).ravel()
        ),
        "attention_entropy": entropy.assign(entropy=rng.uniform(0, np.log(N_PREFIX + 1), len(entropy))),
        "activation_bins": pd.concat(
            every.assign(group=group, n_paragraphs=7 + place, mean_max_abs=rng.gamma(1.0, 1e-4, len(every)))
            for place, group in enumerate(activation_bins.BY_EXACT_MATCH)
        ),
        "activation_similarity": every.assign(**{name: rng.uniform(-1, 1, len(every)) for name in cosines}),
        "forward_similarity": forward.assign(
            position=np.where((forward["role"] == "impact") | (forward["id"] == 21), 9, 4),
            cosine=rng.uniform(-1, 1, len(forward)),
            cosine_other=rng.uniform(-1, 1, len(forward)),
        ),
        "sets": pd.DataFrame({"id": ids, "set": ["memorized"] * 3 + ["non_memorized"] * 3, "sampled": True}),
        "paragraphs": pd.DataFrame({"id": ids, "tokens": tokens}),
        "vocabulary": pd.DataFrame({"token": range(len(TEXTS)), "text": TEXTS}),
        "perturbation": perturbation(rng),
        "perturbed_paragraphs": pd.DataFrame({"id": MEMORIZED, "position": [4, 0, 9]}),
    }


@pytest.fixture(autouse=True)
def _example(monkeypatch):
    for module in (fig6, fig12):
        monkeypatch.setattr(module, "example_ids", lambda tables: [8, 3])


def map_values(axes) -> np.ndarray:
    """Values of the map in a panel, rows from top to bottom as in the table."""
    return next(artist for artist in axes.collections if isinstance(artist, QuadMesh)).get_array()


def panels(drawing) -> list:
    """Panels of a figure in reading order, without the colour bars."""
    return [axes for axes in drawing.figure.axes if axes.get_label() != "<colorbar>"]


def test_figure_6_shows_the_example_in_the_layer_of_the_head():
    tables = made_up()
    drawing = fig6.draw(tables, SETTINGS)
    top, bottom = panels(drawing)
    rows = tables["attention"].query("id == 8 and layer == 1")
    assert map_values(bottom)[2].tolist() == rows.query("head == 2").attention.tolist()
    rows = tables["activation_gradients"].query(
        "group == 'memorized' and id == 8 and layer == 1 and position < @N_PREFIX"
    )
    assert map_values(top)[3].tolist() == rows.query("head == 3").max_abs.tolist()
    assert bottom.get_ylim() == (3.5, -0.5)  # head 0 on top
    assert len(drawing.data) == 2 * 4 * N_PREFIX


def test_figure_6_writes_the_tokens_and_marks_the_perturbed_one():
    tables = made_up()
    drawing = fig6.draw(tables, SETTINGS)
    tokens = tables["paragraphs"].set_index("id")["tokens"][8][:N_PREFIX]
    labels = panels(drawing)[1].get_xticklabels()
    assert [label.get_text() for label in labels] == [token_map.label(TEXTS[token]) for token in tokens]
    colours = [label.get_color() for label in labels]
    assert colours.index(COLOURS["perturbed"]) == 0 and colours.count(COLOURS["perturbed"]) == 1
    assert drawing.data["token"].tolist()[::4][:N_PREFIX] == [TEXTS[token] for token in tokens]


def test_figure_6_without_a_perturbation_that_changes_the_example():
    tables = made_up()
    tables["perturbed_paragraphs"] = tables["perturbed_paragraphs"].query("id != 8")
    drawing = fig6.draw(tables, SETTINGS)
    assert drawing.numbers["marked"] is None
    assert "Triangle" not in fill((REPORT / "fig6.rst").read_text(), drawing.numbers | {"study": "s"})


def test_figure_6_outlines_the_key_value_head_of_the_query_head():
    drawing = fig6.draw(made_up(n_heads=4, n_kv_heads=2), SETTINGS)
    outlined = [axes.patches[0].get_xy()[1] + 0.5 for axes in panels(drawing)]
    assert outlined == [1, 2]


def test_figure_6_names_the_head_with_the_most_attention_on_the_perturbed_token():
    tables = made_up()
    attention = tables["attention"]
    at = (attention["layer"] == 1) & (attention["id"] == 8) & (attention["position"] == 0)
    attention.loc[at, "attention"] = 0.01
    attention.loc[at & (attention["head"] == 3), "attention"] = 0.9
    numbers = fig6.draw(tables, SETTINGS).numbers["example"]["attention"]
    assert (numbers["top_head"], numbers["top_value"], numbers["value"]) == (3, 0.9, 0.01)


@pytest.mark.parametrize(("layer", "shown"), [(0, 1), (1, 2), (2, 1)])
def test_figure_12_shows_the_next_layer_of_figure_6s_paragraph(layer, shown):
    tables = made_up(3, 4)
    settings = changed(SETTINGS, highlight={"layer": layer, "head": 2})
    drawing = fig12.draw(tables, settings)
    below = panels(drawing)[2]
    rows = tables["attention"].query("id == 8 and layer == @shown and head == 1")
    assert map_values(below)[1].tolist() == rows["attention"].tolist()
    assert drawing.numbers["other"] == shown
    assert drawing.numbers["example"]["id"] == 3


def test_figure_12_finds_the_most_similar_heads_of_either_layer():
    tables = made_up(2, 4)
    attention = tables["attention"].set_index(["layer", "head"]).sort_index()
    attention.loc[(0, 3), "attention"] = attention.loc[(1, 2), "attention"].to_numpy()
    tables["attention"] = attention.reset_index()
    numbers = fig12.draw(tables, SETTINGS).numbers
    assert numbers["closest"] == 3
    assert numbers["closest_correlation"] == pytest.approx(1)
    assert numbers["own_layer_correlation"] < 0.9  # without the head itself


def profile_frame(values: dict[tuple[int, int], list[float]]) -> pd.DataFrame:
    index = pd.MultiIndex.from_tuples(values, names=["id", "head"])
    return pd.DataFrame(list(values.values()), index, dtype=float)


def test_correlation_with_others_is_the_mean_of_pairs():
    found = profile_frame({(5, 0): [1, 2, 3, 9], (5, 1): [2, 4, 6, 18], (5, 2): [1, 5, 0, 2]})
    r = np.corrcoef([1, 2, 3, 9], [1, 5, 0, 2])[0, 1]
    assert correlation_with_others(found).loc[5].tolist() == pytest.approx([(1 + r) / 2, (1 + r) / 2, r])


def test_correlation_of_profiles_repeats_key_value_heads():
    gradient = profile_frame({(5, 0): [1, 2, 3], (5, 1): [3, 1, 0]})
    attention = profile_frame(
        {(5, head): row for head, row in enumerate([[2, 4, 6], [3, 2, 1], [6, 2, 0], [0, 2, 3]])}
    )
    assert correlation_of_profiles(gradient, attention).loc[5].tolist() == pytest.approx([1, -1, 1, -1])


def test_share_below_counts_the_other_positions():
    found = profile_frame({(5, 0): [0, 1, 2, 3, 4], (5, 1): [4, 3, 9, 8, 7]})
    assert share_below(found, pd.Series({5: 3})).loc[5].tolist() == [0.75, 0.75]
    assert share_below(found, pd.Series({5: 0})).loc[5].tolist() == [0, 0.25]


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
    frame["max_abs"] = np.where(frame["group"] == "memorized", 1.0, 10.0)
    for (group, role), (component, layer, head) in places.items():
        labels = frame[["group", "role", "component", "layer", "head"]].astype(object)
        here = (labels == [group, role, component, layer, head]).all(axis=1)
        frame.loc[here, "max_abs"] *= 5
    numbers = fig10.draw(tables, SETTINGS).numbers
    for (group, role), (component, layer, head) in places.items():
        found = numbers["panels"][group][role]
        assert found["strongest"] == f"{component} of head {head} in layer {layer}"
        assert found["layer"] == layer
    assert numbers["ratio"] == pytest.approx({"perturbed": 10, "impact": 10})


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


def test_entropy_of_sets_is_compared_head_by_head():
    rng = np.random.default_rng(0)
    entropy = crossed(id=range(40), layer=range(2), head=range(3))
    entropy["set"] = np.where(entropy["id"] < 15, "memorized", "non_memorized")
    entropy["entropy"] = rng.normal(2, 0.1, len(entropy))
    shifted = (entropy["layer"] == 1) & (entropy["head"] == 2) & (entropy["set"] == "memorized")
    entropy.loc[shifted, "entropy"] -= 1
    data = attention_entropy.compare_heads(entropy)
    assert data.index[data["clear"]].tolist() == [(1, 2)]
    assert data.loc[(1, 2), "low"] < data.loc[(1, 2), "difference"] < data.loc[(1, 2), "high"] < 0
    a, b = (
        entropy[(entropy["layer"] == 0) & (entropy["head"] == 1) & (entropy["set"] == name)].entropy
        for name in ("memorized", "non_memorized")
    )
    assert data.loc[(0, 1), "difference"] == pytest.approx(a.mean() - b.mean())
    assert data.loc[(0, 1), "p_value"] == pytest.approx(stats.ttest_ind(a, b, equal_var=False).pvalue)
    assert data.loc[(0, 1), ["n_memorized", "n_non_memorized"]].tolist() == [15, 25]


def test_entropies_of_five_paragraphs_say_nothing():
    entropy = crossed(id=range(10), layer=range(2), head=range(3))
    entropy["set"] = np.where(entropy["id"] < 5, "memorized", "non_memorized")
    apart = (entropy["set"] == "memorized") + 0.001 * entropy["id"]
    assert not attention_entropy.compare_heads(entropy.assign(entropy=apart))["clear"].any()


def test_a_difference_is_clear_beyond_the_correction_for_all_heads():
    """p of one head is about 0.02: below the level by itself, and not among 24 heads."""
    entropy = crossed(id=range(40), layer=range(4), head=range(6))
    entropy["set"] = np.where(entropy["id"] < 20, "memorized", "non_memorized")
    values = np.random.default_rng(1).normal(size=40)
    values[:20] += values[20:].mean() - values[:20].mean() + 0.75 * values.std()
    data = attention_entropy.compare_heads(entropy.assign(entropy=values[entropy["id"]]))
    assert (data["p_value"] < 0.05).all() and not data["clear"].any()


@pytest.mark.parametrize(("p_value", "clear"), [(0.049, True), (0.051, False)])
def test_a_difference_is_clear_below_five_percent(p_value, clear):
    """One head, so that there is nothing to correct for."""
    first, second = np.random.default_rng(1).normal(size=(2, 20))
    first += second.mean() - first.mean()
    shift = optimize.brentq(
        lambda apart: stats.ttest_ind(first + apart, second, equal_var=False).pvalue - p_value, 0, 3
    )
    entropy = crossed(layer=[0], head=[0], id=range(40)).assign(entropy=[*(first + shift), *second])
    entropy["set"] = np.where(entropy["id"] < 20, "memorized", "non_memorized")
    assert attention_entropy.compare_heads(entropy)["clear"].item() == clear


def test_entropy_dots_lie_in_their_cells():
    tables = made_up(3, 4)
    frame = crossed(id=range(16), layer=range(3), head=range(4))
    noise = np.random.default_rng(0).normal(0, 1e-3, len(frame))
    planted = (frame["layer"] == 2) & (frame["head"] == 1) & (frame["id"] < 8)
    tables["attention_entropy"] = frame.assign(entropy=1 + noise - planted)
    tables["sets"] = pd.DataFrame({"id": range(16), "set": ["memorized"] * 8 + ["non_memorized"] * 8})
    right = panels(attention_entropy.draw(tables, SETTINGS))[1]
    dots = next(line for line in right.lines if line.get_marker() == "o")
    assert dots.get_xydata().tolist() == [[1.5, 2]]
    assert map_values(right)[2, 1] == pytest.approx(-1, abs=0.01)


def test_every_map_of_activation_similarity_names_its_components():
    figure = activation_similarity.draw(made_up(4, 8), SETTINGS).figure
    texts = [text for text, _ in drawn_labels(figure)]
    assert all(texts.count(name) == 3 for name in ("k", "q", "v", "z", "pre", "post"))


def test_activation_similarity_shows_the_sets_and_the_halves_of_each():
    tables = made_up()
    drawing = activation_similarity.draw(tables, SETTINGS)
    columns = ("cosine", "cosine_memorized", "cosine_non_memorized")
    first = tables["activation_similarity"].query("layer == 0 and component == 'k' and head == 1")
    for axes, column in zip(panels(drawing)[::2], columns, strict=True):
        assert map_values(axes)[0, 1] == first[column].item()
        assert axes.collections[0].get_clim() == (-1, 1)
        assert drawing.numbers["means"][column] == pytest.approx(
            tables["activation_similarity"][column].mean()
        )


def test_forward_similarity_shows_pairs_and_other_paragraphs_at_both_positions():
    tables = made_up()
    drawing = forward_similarity.draw(tables, SETTINGS)
    rows = tables["forward_similarity"]
    numbers = drawing.numbers["roles"]
    assert (numbers["perturbed"]["n_pairs"], numbers["impact"]["n_pairs"]) == (3, 2)
    top, top_bars, bottom, bottom_bars = panels(drawing)
    for axes, bars, role in ((top, top_bars, "perturbed"), (bottom, bottom_bars, "impact")):
        shown = rows[(rows["role"] == role) & ((role == "perturbed") | (rows["id"] != 21))]
        key = shown.query("layer == 1 and component == 'k' and head == 3")
        assert map_values(axes)[1, 3] == pytest.approx(key["cosine"].mean())
        assert axes.collections[0].get_clim() == (-1, 1)
        assert numbers[role]["mean"] == pytest.approx(shown["cosine"].mean())
        assert numbers[role]["mean_other"] == pytest.approx(shown["cosine_other"].mean())
        means = shown.groupby(["layer", "component", "head"], observed=True, dropna=False)["cosine"].mean()
        assert numbers[role]["min"] == pytest.approx(means.min())
        layer, component, head = means.idxmin()
        of_head = "" if pd.isna(head) else f"head {head:.0f} in "
        assert numbers[role]["least"] == f"{component} of {of_head}layer {layer}"
        layers = shown.groupby("layer")[["cosine", "cosine_other"]].mean()
        widths = [bar.get_width() for container in bars.containers for bar in container]
        assert widths == pytest.approx([*layers["cosine"], *layers["cosine_other"]])


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


def test_fifty_tokens_fit_next_to_each_other():
    _, axes = subplots(7, 2)
    values = pd.DataFrame(np.ones((12, 50)))
    token_map.token_map(axes, values, highlight=3)
    token_map.label_tokens(axes, (TEXTS * 7)[:50], marked=4)
    assert clipped_labels(axes.figure) == []
    assert overlapping_labels(axes.figure) == []


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__.split(".")[-1])
def test_captions_find_their_numbers(module):
    name = module.__name__.split(".")[-1]
    numbers = module.draw(made_up(4, 8), SETTINGS).numbers
    caption = fill((REPORT / f"{name}.rst").read_text(), numbers | {"study": "made-up"})
    assert "study made-up" in caption
    assert "nan" not in caption.split()


def test_activation_figures_import_no_model_library():
    names = ", ".join(module.__name__ for module in MODULES)
    heavy = {"torch", "transformers", "transformer_lens", "pandera"}
    code = f"import sys, {names}; print({heavy} & set(sys.modules))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "set()"


def test_figure_6_averages_the_memorized_paragraphs_and_the_prefix_alone():
    tables = made_up()
    numbers = fig6.draw(tables, SETTINGS).numbers
    gradients = tables["activation_gradients"].query(
        "group == 'memorized' and component == 'v' and layer == 1 and position < @N_PREFIX"
    )
    attention = tables["attention"].query("layer == 1 and id in @MEMORIZED")
    positions = tables["perturbed_paragraphs"].set_index("id")["position"]
    for name, rows, value in (
        ("gradient", gradients, "max_abs"),
        ("attention", attention, "attention"),
    ):
        wide = rows.astype({"head": int}).pivot(index=["id", "head"], columns="position", values=value)
        likeness, below = np.zeros((3, 4)), np.zeros((3, 4))
        for row, paragraph in enumerate(MEMORIZED):
            values = wide.loc[paragraph].to_numpy()
            r = np.corrcoef(values)
            likeness[row] = [np.delete(r[head], head).mean() for head in range(4)]
            below[row] = (values < values[:, [positions[paragraph]]]).sum(axis=1) / (N_PREFIX - 1)
        found, alike, share = numbers["all"][name], likeness.mean(axis=0), below.mean(axis=0)
        assert (found["correlation"].value, found["correlation"].n) == (pytest.approx(alike[2]), 3)
        assert found["correlation_all"] == pytest.approx(alike.mean())
        assert (found["least_alike"], found["least_correlation"]) == (
            alike.argmin(),
            pytest.approx(alike.min()),
        )
        assert (found["below"], found["below_all"]) == (pytest.approx(share[2]), pytest.approx(share.mean()))
        assert (found["below_best"], found["below_max"]) == (share.argmax(), pytest.approx(share.max()))
    assert numbers["n_paragraphs"] == 3


def test_figure_6_compares_gradients_and_attention_of_the_same_head():
    tables = made_up()
    gradients = tables["activation_gradients"].query(
        "group == 'memorized' and layer == 1 and position < @N_PREFIX"
    )
    gradients = gradients.astype({"head": int}).set_index(["id", "head", "position"])["max_abs"]
    attention = tables["attention"].query("layer == 1").set_index(["id", "head", "position"])["attention"]
    both = [[(gradients[i, head], attention[i, head]) for i in MEMORIZED] for head in range(4)]
    means = np.array([np.mean([np.corrcoef(*pair)[0, 1] for pair in pairs]) for pairs in both])
    agreement = fig6.draw(tables, SETTINGS).numbers["agreement"]
    assert agreement["head"] == pytest.approx(means[2])
    assert agreement["others"] == pytest.approx(np.delete(means, 2).mean())


def test_figure_6_names_the_tokens_and_numbers_of_the_example():
    tables = made_up()
    numbers = fig6.draw(tables, SETTINGS).numbers["example"]
    of_head = (
        tables["attention"].query("id == 8 and layer == 1 and head == 2").set_index("position")["attention"]
    )
    tokens = tables["paragraphs"].set_index("id")["tokens"][8]
    strongest = of_head.sort_values(ascending=False).index[:3]
    assert numbers["attention"]["tokens"] == [(token_map.label(TEXTS[tokens[at]]), at) for at in strongest]
    assert numbers["attention"]["mean"] == pytest.approx(of_head.mean())


def test_figure_12_leaves_out_paragraphs_outside_of_the_sample():
    """Memorized ones that were not drawn, and non-memorized ones, have attention for other analyses."""
    tables = made_up(2, 4)
    expected = fig12.draw(tables, SETTINGS).numbers
    attention = tables["attention"]
    noise = np.random.default_rng(9).dirichlet(np.ones(N_PREFIX), len(attention) // N_PREFIX).ravel()
    others = attention.assign(id=attention["id"] + 100, attention=noise)
    sets = tables["sets"].assign(id=tables["sets"]["id"] + 100, set="memorized", sampled=False)
    more = tables | {
        "attention": pd.concat([attention, others]),
        "sets": pd.concat([tables["sets"], sets]),
    }
    changed = more["attention"]["id"].isin(OTHERS)
    more["attention"].loc[changed, "attention"] = (
        more["attention"].loc[changed, "attention"].iloc[::-1].to_numpy()
    )
    numbers = fig12.draw(more, SETTINGS).numbers
    for name in ("n_paragraphs", "closest", "closest_correlation", "own_layer_correlation"):
        assert numbers[name] == expected[name], name
    assert numbers["n_paragraphs"] == len(MEMORIZED)


def test_figure_12_names_the_most_attended_tokens_and_the_head_at_the_perturbed_one():
    tables = made_up(2, 4)
    numbers = fig12.draw(tables, SETTINGS).numbers
    wide = (
        tables["attention"]
        .query("id == 8 and layer == 0")
        .pivot(index="head", columns="position", values="attention")
    )
    tokens = tables["paragraphs"].set_index("id")["tokens"][8]
    strongest = wide.mean().sort_values(ascending=False).index[:3]
    assert numbers["tokens"] == [(token_map.label(TEXTS[tokens[at]]), at) for at in strongest]
    assert (numbers["top_head"], numbers["top_value"]) == (wide[0].argmax(), wide[0].max())


def test_entropy_numbers_tell_narrower_heads_from_more_even_ones():
    tables = made_up(2, 3)
    frame = crossed(id=range(20), layer=range(2), head=range(3))
    noise = np.random.default_rng(0).normal(0, 1e-3, len(frame))
    memorized = frame["id"] < 8
    shift = pd.Series(0.0, frame.index)
    for (layer, head), value in {(0, 1): -0.5, (1, 0): 0.2, (1, 2): 0.3}.items():
        shift[(frame["layer"] == layer) & (frame["head"] == head) & memorized] = value
    tables["attention_entropy"] = frame.assign(entropy=1 + noise + shift)
    tables["sets"] = pd.DataFrame({"id": range(20), "set": ["memorized"] * 8 + ["non_memorized"] * 12})
    drawing = attention_entropy.draw(tables, SETTINGS)
    numbers = drawing.numbers
    assert (numbers["n_lower"], numbers["n_higher"]) == (1, 2)
    assert (numbers["n_memorized"], numbers["n_non_memorized"]) == (8, 12)
    extreme = numbers["extreme"]
    assert (extreme["layer"], extreme["head"], extreme["value"].n) == (0, 1, 8)
    assert extreme["value"].value == pytest.approx(-0.5, abs=0.01)
    assert extreme["value"].low < extreme["value"].value < extreme["value"].high < -0.49
    assert numbers["maximum"] == pytest.approx(np.log(N_PREFIX + 1))
    assert numbers["highlighted"]["memorized"] == pytest.approx(1.3, abs=0.01)
    assert numbers["highlighted"]["non_memorized"] == pytest.approx(1, abs=0.01)
    left = map_values(panels(drawing)[0])
    assert left[0].tolist() == pytest.approx([1, 0.5, 1, 1, 1, 1], abs=0.01)  # memorized come first


def test_a_token_map_draws_head_0_on_top_and_outlines_a_row():
    _, axes = subplots(4, 2)
    mesh = token_map.token_map(axes, pd.DataFrame([[0.0, 1], [2, 3], [4, 8]]), highlight=1)
    assert mesh.get_clim() == (0, 8)
    assert axes.get_ylim() == (2.5, -0.5)
    (outline,) = axes.patches
    assert (outline.get_xy(), outline.get_width(), outline.get_height()) == ((-0.5, 0.5), 2, 1)


def test_texts_are_those_of_the_paragraphs_prefix():
    tables = made_up()
    tokens = tables["paragraphs"].set_index("id")["tokens"][21]
    assert token_map.prefix_texts(tables, 21, 4) == [TEXTS[token] for token in tokens[:4]]


def test_the_highlighted_head_is_the_first_of_the_combined_ranking():
    rows = [("patching", 0, 1, 1), ("combined", 0, 1, 2), ("combined", 1, 3, 1), ("patching", 1, 3, 2)]
    ranking = pd.DataFrame(rows, columns=["method", "layer", "head", "rank"])
    assert highlighted_head({"head_ranking": ranking}, sections({"highlight": "auto"})) == (1, 3)
    assert highlighted_head({"head_ranking": ranking}, sections({"highlight": {"layer": 2, "head": 0}})) == (
        2,
        0,
    )


def test_activation_bins_show_each_bin_and_leave_out_empty_ones():
    tables = made_up(4, 8)
    drawing = activation_bins.draw(tables, SETTINGS)
    sums = tables["activation_bins"].groupby("group")["mean_max_abs"].sum()
    assert {group: numbers["sum"] for group, numbers in drawing.numbers["groups"].items()} == pytest.approx(
        sums.to_dict()
    )
    assert [numbers["n"] for numbers in drawing.numbers["groups"].values()] == [7, 8, 9, 10]
    for group, numbers in drawing.numbers["groups"].items():
        rows = tables["activation_bins"][tables["activation_bins"]["group"] == group]
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


def test_every_map_of_figure_10_has_its_colour_bar():
    axes = fig10.draw(made_up(), SETTINGS).figure.axes
    assert [each.get_ylabel() for each in axes].count("max |gradient|") == 4
