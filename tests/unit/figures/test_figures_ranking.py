"""Figure 1 and the ranks of all heads, on made-up rankings: plotted numbers and readable labels."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from drawn_parts import letters_of, words
from figure_labels import clipped_labels, overlapping_labels
from made_rankings import ranked_with_samples
from matplotlib.text import Annotation

from memloc.figures import fig1, head_ranking
from memloc.figures.parts.style import COLOURS, METHOD_LABELS
from memloc.localization.head_ranking import agreement
from memloc.localization.highlight import highlighted_head
from memloc.run.templates import fill
from memloc.settings.sections import sections

REPORT = Path(__file__).parents[3] / "workflow/report"
SETTINGS = sections({"highlight": "auto"})
SHAPES = [(4, 8), (12, 12), (30, 9), (36, 20)]  # layers, heads: mini, 125M and 12B parameters among them


def made_up(n_layers: int, n_heads: int) -> dict[str, pd.DataFrame]:
    ranking, samples = ranked_with_samples(n_layers, n_heads, seed=0)
    return {
        "head_ranking": ranking,
        "head_rank_samples": samples,
        "ranking_agreement": agreement(ranking, samples),
        "patching": pd.DataFrame({"method": ["exact", "exact"]}),
        "sets": pd.DataFrame({"set": ["memorized"] * 442 + ["non_memorized"] * 12_422}),
        "perturbed_paragraphs": pd.DataFrame({"id": range(40)}),
    }


@pytest.mark.parametrize("module", [fig1, head_ranking])
@pytest.mark.parametrize("shape", SHAPES)
def test_labels_can_be_read_and_captions_are_filled(module, shape):
    drawing = module.draw(made_up(*shape), SETTINGS)
    assert not clipped_labels(drawing.figure)
    slanted = set(METHOD_LABELS.values())
    upright = [pair for pair in overlapping_labels(drawing.figure) if not set(pair) & slanted]
    assert not upright  # boxes of slanted labels overlap, their text does not
    text = (REPORT / f"{module.__name__.rpartition('.')[2]}.rst").read_text()
    caption = fill(text, drawing.numbers | {"study": "tests"})
    assert "nan" not in caption and "None" not in caption


@pytest.mark.parametrize("shape", SHAPES)
def test_the_map_holds_the_rank_of_every_head(shape):
    tables = made_up(*shape)
    figure = head_ranking.draw(tables, SETTINGS).figure
    panel, shades = figure.axes[0], figure.axes[0].images[0]
    assert letters_of(figure) == "abc" and shades.colorbar.ax.get_ylabel() == "rank (1 = strongest)"
    first, last = (sum(shades.to_rgba(rank)[:3]) for rank in (1, shape[0] * shape[1]))
    assert first > last, "first heads are the brightest"
    assert panel.get_xlabel() == "layer, and its heads from left to right"
    shown = np.asarray(panel.images[0].get_array())
    ranking = tables["head_ranking"].sort_values(["layer", "head"])
    expected = [ranking.loc[ranking["method"] == method, "rank"].tolist() for method in METHOD_LABELS]
    assert shown.tolist() == expected and words(panel.get_yticklabels()) == list(METHOD_LABELS.values())
    n_layers, n_heads = shape
    for place, layer in zip(panel.get_xticks(), words(panel.get_xticklabels()), strict=True):
        assert place == int(layer) * n_heads + (n_heads - 1) / 2, "the middle of its heads"
    borders = [line.get_xdata()[0] for line in panel.lines]
    assert borders == [n_heads * layer - 0.5 for layer in range(1, n_layers)]


def test_the_highlighted_head_is_the_first_of_all_methods_together():
    """Not that of one method, nor the last, nor the first row; a configured head comes before."""
    rows = [
        ("combined", 0, 0, 3),
        ("combined", 2, 1, 1),
        ("combined", 1, 1, 2),
        ("patching", 0, 0, 1),
        ("patching", 2, 1, 2),
        ("patching", 1, 1, 3),
    ]
    tables = {"head_ranking": pd.DataFrame(rows, columns=["method", "layer", "head", "rank"])}
    assert highlighted_head(tables, sections({"highlight": "auto"})) == (2, 1)
    assert highlighted_head(tables, sections({"highlight": {"layer": 1, "head": 1}})) == (1, 1)


def test_the_highlighted_head_is_outlined_in_the_map_of_ranks():
    drawing = head_ranking.draw(made_up(4, 8), sections({"highlight": {"layer": 2, "head": 3}}))
    (outline,) = drawing.figure.axes[0].patches
    n_methods = len(drawing.figure.axes[0].get_yticks())
    assert (outline.get_xy(), outline.get_width()) == ((2 * 8 + 3 - 0.5, -0.5), 1)
    assert outline.get_height() == n_methods


def test_figure_1_counts_the_methods_that_rank_the_head_first():
    tables = made_up(4, 8)
    drawing = fig1.draw(tables, SETTINGS)
    ranking = tables["head_ranking"]
    layer, head = drawing.numbers["layer"], drawing.numbers["head"]
    own = ranking[(ranking["layer"] == layer) & (ranking["head"] == head) & (ranking["method"] != "combined")]
    assert drawing.numbers["n_first"] == (own["rank"] == 1).sum()
    assert drawing.numbers["n_methods"] == 4 == len(own)
    ranks = own.set_index("method")["rank"]
    assert drawing.numbers["ranks"] == {METHOD_LABELS[method]: rank for method, rank in ranks.items()}
    assert drawing.numbers["sizes"] == {"memorized": 442, "non_memorized": 12_422, "perturbed": 40}
    assert (
        drawing.data.set_index("method")["rank_of_highlighted"].drop("combined").to_dict() == ranks.to_dict()
    )
    assert drawing.numbers["n_heads"] == 32 and (layer, head) == highlighted_head(tables, SETTINGS)
    (axes,) = drawing.figure.axes
    texts = [text.get_text() for text in axes.texts]
    shown = [text for text in texts if text.startswith("rank ")]
    assert shown == [f"rank {ranks[method]} of 32" for method in fig1.USES]
    for method in fig1.USES:
        top = ranking.query("method == @method and rank == 1").iloc[0]
        assert f"{METHOD_LABELS[method]}\nfirst: layer {top['layer']}, head {top['head']}" in texts
    assert f"layer {layer}\nhead {head}" in texts and "lowest mean rank\nof all methods" in texts
    configured = fig1.draw(tables, sections({"highlight": {"layer": 2, "head": 3}})).figure.axes[0].texts
    assert {"layer 2\nhead 3", "configured"} < {text.get_text() for text in configured}


def test_arrows_of_figure_1_lead_from_sets_to_the_methods_that_use_them_and_on_to_the_head():
    (axes,) = fig1.draw(made_up(4, 8), SETTINGS).figure.axes
    heights = {text.get_text().split("\n")[0]: text.get_position()[1] for text in axes.texts}
    sizes = {text.get_text().split("\n")[-1] for text in axes.texts}
    assert {"442 paragraphs", "12,422 paragraphs", "40 paragraphs"} < sizes
    names = {"memorized": "memorized", "non_memorized": "non-memorized", "perturbed": "perturbed memorized"}
    set_of = {COLOURS[name]: label for name, label in names.items()}
    arrows = [arrow for arrow in axes.texts if isinstance(arrow, Annotation)]
    used = {METHOD_LABELS[method]: set() for method in fig1.USES}
    left = set()
    for arrow in arrows:
        name = set_of.get(arrow.arrowprops["color"])
        (method,) = (
            label for label in used if heights[label] == pytest.approx((arrow.xy if name else arrow.xyann)[1])
        )
        if name:
            assert arrow.xyann[1] == pytest.approx(heights[name])
            used[method].add(name)
        else:
            left.add(method)
    assert used == {
        "parameter gradients": {"memorized"},
        "activation gradients": {"memorized"},
        "attention to rare tokens": {"memorized", "non-memorized"},
        "activation patching": {"memorized", "perturbed memorized"},
    }
    assert left == set(used)
    assert len(axes.patches) == 3 + len(used) + 1  # boxes


def test_shares_of_ranks_are_those_of_resamples():
    rows = [("resample", n, "a", 0, head, 1 + (head + (n < 3)) % 2) for n in range(10) for head in (0, 1)]
    rows += [("part", n, "a", 0, head, 2) for n in range(10) for head in (0, 1)]
    samples = pd.DataFrame(rows, columns=["sample", "number", "method", "layer", "head", "rank"])
    found = head_ranking.rank_shares(samples)
    assert found.loc[("a", 0, 0)].tolist() == pytest.approx([0.7, 0.3])
    assert found.loc[("a", 0, 1)].tolist() == pytest.approx([0.3, 0.7])


def test_panel_c_shows_each_method_with_heads_in_the_order_of_their_ranks():
    tables = made_up(4, 8)
    drawing = head_ranking.draw(tables, SETTINGS)
    figure, numbers = drawing.figure, drawing.numbers
    shares = head_ranking.rank_shares(tables["head_rank_samples"])
    panels = [axes for axes in figure.axes if "heads by their rank" in axes.get_xlabel()]
    assert len(panels) == 5 and panels[0].get_ylabel() == "rank in resamples"
    ranking = tables["head_ranking"].query("method == 'patching'").sort_values("rank")
    first, last = (tuple(ranking.iloc[place][["layer", "head"]]) for place in (0, -1))
    shown = next(axes for axes in panels if "patching" in axes.get_xlabel()).images[0].get_array()
    for column, head in ((0, first), (-1, last)):
        assert shown[:, column].tolist() == shares.loc[("patching", *head)].tolist()
    head = highlighted_head(tables, SETTINGS)
    ranks = tables["head_ranking"].set_index(["method", "layer", "head"])
    for panel, (method, label) in zip(panels, METHOD_LABELS.items(), strict=True):
        row = ranks.loc[(method, *head)]
        assert panel.get_xlabel().startswith(label) and panel.lines[0].get_xdata()[0] == row["rank"]
        assert panel.images[0].get_extent() == [0.5, 32.5, 32.5, 0.5]
        assert (panel.images[0].norm.vmin, panel.images[0].norm.vmax) == (0, 1)
        found = row[["rank", "low", "high", "first_share"]].to_dict()
        assert numbers["ranks"][label] == found


def test_agreement_in_the_caption_is_that_of_single_methods():
    """Not of the combined ranking, which holds them all."""
    tables = made_up(4, 8)
    agreement = tables["ranking_agreement"]
    combined = (agreement["method_a"] == "combined") | (agreement["method_b"] == "combined")
    agreement.loc[combined, "kendall"] = [0.99, -0.99, 0.99, 0.99]
    last = agreement.index[combined][-1]
    agreement.loc[last, ["method_a", "method_b"]] = agreement.loc[last, ["method_b", "method_a"]].tolist()
    numbers = head_ranking.draw(tables, SETTINGS).numbers
    values = agreement.loc[~combined, "kendall"]
    found = [numbers[f"kendall_{name}"] for name in ("mean", "min", "max")]
    assert found == pytest.approx([values.mean(), values.min(), values.max()])
    assert numbers["n_resamples"] == 30 and numbers["n_heads"] == 32


def test_the_caption_gives_the_interval_of_the_heads_rank():
    numbers = head_ranking.draw(made_up(4, 8), SETTINGS).numbers
    numbers["ranks"] = {"a method": {"rank": 2, "low": 1, "high": 7, "first_share": 0.25}}
    caption = fill((REPORT / "head_ranking.rst").read_text(), numbers)
    assert "a method: 2 (1 to 7), first in 25 %" in caption


@pytest.mark.parametrize(("method", "told"), [("exact", False), ("attribution", True)])
def test_the_caption_says_where_patches_are_estimated(method, told):
    tables = made_up(4, 8) | {"patching": pd.DataFrame({"method": [method] * 2})}
    numbers = head_ranking.draw(tables, SETTINGS).numbers
    assert ("is estimated to first order" in fill((REPORT / "head_ranking.rst").read_text(), numbers)) == told


def test_the_caption_says_whether_methods_count_by_planted_truth():
    tables, text = made_up(4, 8), (REPORT / "head_ranking.rst").read_text()
    drawn = head_ranking.draw(tables, SETTINGS).numbers | {"study": "tests"}
    assert drawn["weights"] == {} and "planted" not in fill(text, drawn)
    weights = {"parameter_gradient": 0.3, "activation_gradient": 0.0, "rare_tokens": 0.1, "patching": 0.0}
    ranking = tables["head_ranking"]
    tables["head_ranking"] = ranking.assign(weight=ranking["method"].map(weights))
    caption = fill(text, head_ranking.draw(tables, SETTINGS).numbers | {"study": "tests"})
    shares = {"parameter_gradient": 75, "activation_gradient": 0, "rare_tokens": 25, "patching": 0}
    said = ", ".join(f"{METHOD_LABELS[method]} {share} %" for method, share in shares.items())
    assert "methods count by how well they find planted heads in this model: " in caption
    for share in said.split(", "):
        assert share in caption


def test_agreement_is_coloured_from_minus_one_to_one():
    """Also where no two methods contradict each other: white is no agreement."""
    tables = made_up(4, 8)
    figure = head_ranking.draw(tables, SETTINGS).figure
    (panel,) = [axes for axes in figure.axes for image in axes.images if image.get_clim()[0] < 0]
    (image,) = panel.images
    assert image.get_clim() == (-1, 1)
    expected = np.eye(5)
    for row in tables["ranking_agreement"].itertuples():
        pair = [list(METHOD_LABELS).index(method) for method in (row.method_a, row.method_b)]
        expected[*pair] = expected[*pair[::-1]] = row.kendall
    np.testing.assert_array_equal(image.get_array(), expected)
    assert words(panel.get_xticklabels()) == list(METHOD_LABELS.values())
    written = {text.get_position(): text.get_text() for text in panel.texts}
    assert written == {
        (x, y): f"{value:.2f}".replace("0.", ".") for (y, x), value in np.ndenumerate(expected)
    }
    assert any(axes.get_ylabel() == "Kendall's \u03c4" for axes in figure.axes)
