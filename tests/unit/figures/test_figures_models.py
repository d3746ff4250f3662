"""Figures across models, on tables made up so that every number is known."""

from itertools import combinations, pairwise, product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from drawn_parts import legend_of, letters_of, words
from figure_labels import clipped_labels, overlapping_labels
from made_models import SIZES, tables_of
from scipy import stats

from memloc.figures import models_agreement, models_claims, models_memorized, models_profiles, models_repeats
from memloc.figures.parts import across, verdict_marks
from memloc.figures.parts.style import METHOD_LABELS
from memloc.run.templates import fill
from memloc.settings.sections import sections

REPORT = Path(__file__).parents[3] / "workflow/report"
FIGURES = (models_memorized, models_repeats, models_profiles, models_agreement, models_claims)

SETTINGS = sections({"paragraph": {"length": 100, "prefix": 50}})


@pytest.fixture(scope="module")
def made_up() -> dict[str, pd.DataFrame]:
    return tables_of(SIZES)


SUITE = {
    f"pythia-{size}": (6 + 2 * place, 8) for place, size in enumerate(("70m", "160m", "410m", "1b", "1.4b"))
}


@pytest.mark.parametrize("module", FIGURES, ids=lambda module: module.__name__.rpartition(".")[2])
@pytest.mark.parametrize("sizes", [SIZES, SUITE], ids=["sizes", "suite"])
def test_labels_are_readable_and_captions_complete(module, sizes):
    drawing = module.draw(tables_of(sizes), SETTINGS)
    assert clipped_labels(drawing.figure) == [] and overlapping_labels(drawing.figure) == []
    template = (REPORT / f"{module.__name__.rpartition('.')[2]}.rst").read_text()
    caption = fill(template, drawing.numbers)
    assert not any(word in caption for word in ("None", "nan", "{", "}"))
    assert len(drawing.data)


def test_strength_is_the_share_of_heads_that_rank_lower(made_up):
    strength = across.head_strength(made_up["head_ranking"])
    for _, rows in strength.groupby(["model", "method"]):
        for row in rows.itertuples():
            lower = (rows["score"] < row.score).sum() / (len(rows) - 1)
            assert row.method == "combined" or row.strength == pytest.approx(lower)


def test_layers_lie_at_their_middle_and_average_their_heads(made_up):
    ranking = made_up["head_ranking"]
    profiles = across.layer_profiles(ranking)
    middle = profiles.query("model == 'middle' and method == 'patching'")
    assert middle["depth"].to_list() == pytest.approx([1 / 6, 3 / 6, 5 / 6])
    ranks = ranking.query("model == 'middle' and method == 'patching' and layer == 1")["rank"]
    assert middle["strength"].iloc[1] == pytest.approx(((18 - ranks) / 17).mean())
    assert middle["strength"].mean() == pytest.approx(0.5)


def test_the_strongest_layer_is_named(made_up):
    numbers = models_profiles.draw(made_up, {}).numbers
    assert numbers["strongest"]["activation patching"] == {"small": 1, "middle": 2, "large-long.name": 5}
    assert numbers["n_lower"]["activation patching"] == 0
    assert numbers["n_lower"]["attention to rare tokens"] == 3


def test_a_strongest_layer_in_the_middle_is_not_in_the_lower_half():
    rows = [
        (model, "patching", layer, (layer + 0.5) / 3, float(layer == place))
        for model, place in (("a", 0), ("b", 1), ("c", 2))
        for layer in range(3)
    ]
    profiles = pd.DataFrame(rows, columns=["model", "method", "layer", "depth", "strength"])
    models = pd.DataFrame({"model": ["a", "b", "c"], "n_layers": 3, "n_heads": 2})
    numbers = models_profiles._numbers(models, profiles, ["patching"])
    assert list(numbers["n_lower"].values()) == [1]
    assert list(numbers["strongest"].values()) == [{"a": 0, "b": 1, "c": 2}]


def test_pairs_of_methods_are_counted_by_what_all_models_show(made_up):
    agreement = made_up["ranking_agreement"]
    agreement = agreement[(agreement["method_a"] != "combined") & (agreement["method_b"] != "combined")]
    shown = {}
    for pair, rows in agreement.groupby(["method_a", "method_b"]):
        shown[pair] = set(np.where(rows["p_value"] < 0.05, np.sign(rows["kendall"]), 0))
    numbers = models_agreement.draw(made_up, {}).numbers
    assert numbers["n_pairs"] == 6 == len(shown)
    assert len(numbers["agree"]) == sum(signs == {1} for signs in shown.values()) > 0
    assert len(numbers["contradict"]) == sum(signs == {-1} for signs in shown.values()) > 0
    assert numbers["n_nowhere"] == sum(signs == {0} for signs in shown.values())


def test_marks_of_a_row_are_in_the_order_of_the_legend(made_up):
    """The first model on top; filled and open marks of a model together have one in every row."""
    figure = models_agreement.draw(made_up, {}).figure
    axes = figure.axes[0]
    assert axes.get_xlabel() == "Kendall's \u03c4 of the heads' scores (open: p \u2265 0.05)"
    marks = [line for line in axes.lines if line.get_marker() not in ("None", "")]
    assert [line.get_label() for line in marks[::2]] == list(SIZES)
    heights = [
        np.mean([*filled.get_ydata(), *left.get_ydata()])
        for filled, left in zip(marks[::2], marks[1::2], strict=True)
    ]
    assert heights[0] > heights[1] > heights[2]
    assert list(legend_of(figure)) == list(SIZES)
    pairs = words(axes.get_yticklabels())
    shown = {
        (model, pairs[round(y)]): x
        for place, model in enumerate(SIZES)
        for marks_of_model in marks[2 * place : 2 * place + 2]
        for x, y in marks_of_model.get_xydata()
    }
    expected = {
        (row.model, f"{METHOD_LABELS[row.method_a]} \u2013 {METHOD_LABELS[row.method_b]}"): row.kendall
        for row in made_up["ranking_agreement"].itertuples()
        if "combined" not in (row.method_a, row.method_b)
    }
    assert shown == expected
    means = [np.mean([expected[model, pair] for model in SIZES]) for pair in pairs]
    assert means == sorted(means)


def test_looks_differ_in_colour_and_mark(made_up):
    styles = across.looks(made_up["models"]).values()
    for key in ("color", "marker", "ls"):
        assert len({str(style[key]) for style in styles}) == len(SIZES)
    brightness = [sum(style["color"][:3]) for style in styles]
    assert brightness == sorted(brightness), "darker is smaller"


def test_claims_across_models_are_counted_by_their_verdicts(made_up):
    numbers = models_claims.draw(made_up, {}).numbers
    assert numbers["differ"] == ["first only"] and numbers["contradicted"] == 1
    assert (numbers["n_claims"], numbers["n_applied"], numbers["counts"]["holds"]) == (30, 29, 1)


def test_agreement_within_models_and_the_layers_of_first_heads_are_those_of_the_rankings(made_up):
    drawing = models_claims.draw(made_up, {})
    agreement = made_up["ranking_agreement"]
    pairs = agreement[(agreement["method_a"] != "combined") & (agreement["method_b"] != "combined")]
    expected = pairs.groupby("model")["kendall"].mean()
    assert drawing.numbers["agreement"] == pytest.approx(expected[list(SIZES)].to_dict())
    numbers = drawing.numbers["n_pairs"], drawing.numbers["n_methods"], letters_of(drawing.figure)
    assert numbers == (6, 5, "bca"), "the grid is made last"
    ranking = made_up["head_ranking"]
    for row in drawing.data[drawing.data["panel"] == "c"].itertuples():
        (first,) = ranking[
            (ranking.model == row.model) & (ranking.method == row.method) & (ranking["rank"] == 1)
        ].itertuples()
        assert (row.layer, row.head) == (first.layer, first.head)
        assert row.depth == (first.layer + 0.5) / SIZES[row.model][0]
    taus, depths, grid = drawing.figure.axes
    assert list(legend_of(drawing.figure)) == list(verdict_marks.MARKS)
    assert words(grid.get_xticklabels()) == [*SIZES]
    names = taus.get_ylabel(), depths.get_xlabel()
    assert names == ("Kendall's \u03c4 within a model", "relative depth of the first head")
    named = words(grid.get_yticklabels())
    between = [line.get_ydata()[0] for line in grid.lines if line.get_color() == "0.8"]
    assert between == [0.5, 1.5, 2.5, 12.5], "topics"
    row = [line for line in grid.lines if list(line.get_ydata()) == [named.index("first only")]]
    marks = {line.get_xdata()[0]: line.get_marker() for line in row}
    assert marks == {0: verdict_marks.MARKS["holds"]["marker"], 1: "X", 2: "X"}
    assert words(taus.get_legend().get_texts()) == [line.get_label() for line in taus.lines[1:]] == [*SIZES]
    names = pairs["method_a"] + pairs["method_b"]
    means = pairs.groupby(names)["kendall"].mean().sort_values()
    for line, model in zip(taus.lines[1:], SIZES, strict=True):
        values = pairs[pairs["model"] == model].set_index(names[pairs["model"] == model])["kendall"]
        assert line.get_ydata().tolist() == [values[pair] for pair in means.index]
    methods = words(depths.get_yticklabels())
    firsts = drawing.data[drawing.data["panel"] == "c"].set_index(["model", "method"])["depth"]
    for line, model in zip(depths.lines, SIZES, strict=True):
        assert line.get_label() == model
        shown = {methods[round(y)]: x for x, y in line.get_xydata()}
        assert shown == {METHOD_LABELS[method]: depth for method, depth in firsts[model].items()}
    same = [label for method, label in METHOD_LABELS.items() if firsts.xs(method, level=1).nunique() == 1]
    assert sorted(drawing.numbers["same_depth"]) == sorted(same)
    values = pairs.assign(pair=names).pivot(index="pair", columns="model", values="kendall")
    between = [stats.spearmanr(values[a], values[b])[0] for a, b in combinations(SIZES, 2)]
    assert drawing.numbers["profile"] == pytest.approx(np.mean(between))


def test_heads_of_every_model_and_method_are_drawn_with_layers_upwards(made_up):
    strength = across.head_strength(made_up["head_ranking"])
    figure = models_profiles.draw(made_up, {}).figure
    methods = [method for method in METHOD_LABELS if method in set(strength["method"])]
    panels = [axes for axes in figure.axes if axes.images]
    assert len(panels) == len(methods) * len(SIZES)
    titles = [axes.get_title() for axes in figure.axes if axes.get_title()]
    assert titles == [*SIZES, "layer means"]
    below = [axes.get_xlabel() for axes in figure.axes if axes.get_xlabel()]
    assert below[: len(SIZES) + 1] == ["head"] * len(SIZES) + ["relative depth"]
    for axes, (method, model) in zip(panels, product(methods, SIZES), strict=True):
        (image,) = axes.images
        rows = strength[(strength["method"] == method) & (strength["model"] == model)]
        assert image.origin == "lower"
        np.testing.assert_allclose(
            image.get_array(), rows.pivot(index="layer", columns="head", values="strength")
        )
        assert image.get_clim() == (0, 1)
    assert list(legend_of(figure)) == list(SIZES) and "rank lower" in figure.axes[-1].get_xlabel()
    assert figure.axes[-1].collections[-1].get_cmap() == panels[0].images[0].get_cmap()
    rows = np.array(figure.axes[: len(methods) * 4]).reshape(-1, 4)
    for row, method in zip(rows, methods, strict=True):
        assert row[0].get_ylabel().replace("\n", " ") == f"{METHOD_LABELS[method]} (layer)"
        for line, (model, (n_layers, _)) in zip(row[-1].lines[1:], SIZES.items(), strict=True):
            own = strength[(strength["method"] == method) & (strength["model"] == model)]
            means = [own.loc[own["layer"] == layer, "strength"].mean() for layer in range(n_layers)]
            assert line.get_ydata() == pytest.approx(means)
            assert line.get_xdata() == pytest.approx((np.arange(n_layers) + 0.5) / n_layers)


def test_marks_are_filled_where_p_is_below_the_level(made_up):
    drawing = models_agreement.draw(made_up, {})
    pairs = drawing.data[drawing.data["panel"] == "a"]
    filled, open_ = [], []
    for line in drawing.figure.axes[0].lines:
        if line.get_marker() != "None":
            (open_ if line.get_markerfacecolor() == "white" else filled).extend(line.get_xdata())
    small = pairs["p_value"] < 0.05
    assert sorted(filled) == pytest.approx(sorted(pairs["value"][small]))
    assert sorted(open_) == pytest.approx(sorted(pairs["value"][~small]))


def test_correlations_of_layers_are_counted_and_starred(made_up):
    drawing = models_agreement.draw(made_up, {})
    layers = drawing.data[drawing.data["panel"] == "b"]
    numbers = drawing.numbers
    assert numbers["n_profiles"] == len(layers) and letters_of(drawing.figure) == "ab"
    assert numbers["n_profiles_decided"] == (layers["p_value"] < 0.05).sum()
    assert numbers["n_profiles_short"] == (layers["n_layers"] < 5).sum()
    starred = [text for text in drawing.figure.axes[1].texts if text.get_text().endswith("*")]
    assert len(starred) == numbers["n_profiles_decided"]
    panel = drawing.figure.axes[1]
    (image,) = panel.images
    assert image.colorbar.ax.get_ylabel() == "correlation of layer profiles"
    pairs, methods = words(panel.get_xticklabels()), words(panel.get_yticklabels())
    assert pairs == ["small \u2013 middle", "middle \u2013 large-long.name"] and image.get_clim() == (-1, 1)
    texts = {text.get_position(): text.get_text() for text in panel.texts}
    profiles = across.layer_profiles(made_up["head_ranking"])
    labels = {label: method for method, label in METHOD_LABELS.items()}
    for (y, label), (x, (first, second)) in product(enumerate(methods), enumerate(pairwise(SIZES))):
        own = profiles[profiles["method"] == labels[label]]
        value, p_value, _ = models_agreement.profile_correlation(
            own[own["model"] == first], own[own["model"] == second]
        )
        assert image.get_array()[y, x] == pytest.approx(value) or np.isnan(value)
        written = "\u2013" if np.isnan(value) else f"{value:.2f}{'*' if p_value < 0.05 else ''}"
        assert texts[x, y] == written


def test_five_layers_are_not_short():
    sizes = {"five": (5, 4), "six": (6, 4), "four": (4, 4)}
    numbers = models_agreement.draw(tables_of(sizes), {}).numbers
    assert numbers["n_profiles_short"] == numbers["n_profiles"] / 2
