"""Figure 1 and the ranks of all heads, on made-up rankings: plotted numbers and readable labels."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from drawn_parts import words
from figure_labels import checked
from made_rankings import METHOD_LABELS, ranked_with_samples
from scipy import stats

from memloc.figures import fig1, head_ranking
from memloc.figures.parts.style import COLOURS
from memloc.localization.head_ranking import exchanged_agreement
from memloc.localization.highlight import highlighted_head
from memloc.settings.sections import sections
from memloc.tables.terms.head_ranking import PAPER_METHODS

SETTINGS = sections({"highlight": "auto"})
SHAPES = [(4, 8), (36, 20)]  # layers, heads: mini, and 12B parameters


def made_up(n_layers: int, n_heads: int) -> dict[str, pd.DataFrame]:
    ranking, samples = ranked_with_samples(n_layers, n_heads, seed=0)
    return {
        "head_ranking": ranking,
        "head_rank_samples": samples,
        "sets": pd.DataFrame({"set": ["memorized"] * 442 + ["non_memorized"] * 12_422}),
        "perturbed_paragraphs": pd.DataFrame({"id": range(40)}),
    }


@pytest.mark.parametrize("module", [fig1, head_ranking])
@pytest.mark.parametrize("shape", SHAPES)
def test_labels_can_be_read_and_captions_are_filled(module, shape, monkeypatch):
    monkeypatch.setattr("memloc.localization.head_ranking.N_EXCHANGES", 9)
    assert checked(module.__name__.rpartition(".")[2], module.draw(made_up(*shape), SETTINGS))


def test_the_map_holds_the_rank_of_every_head():
    n_layers, n_heads = SHAPES[0]
    tables = made_up(n_layers, n_heads)
    panel = head_ranking.draw(tables, SETTINGS).figure.axes[0]
    shown = np.asarray(panel.images[0].get_array())
    ranking = tables["head_ranking"].sort_values(["layer", "head"])
    expected = [ranking.loc[ranking["method"] == method, "rank"].tolist() for method in METHOD_LABELS]
    assert shown.tolist() == expected and words(panel.get_yticklabels()) == list(METHOD_LABELS.values())
    for place, layer in zip(panel.get_xticks(), words(panel.get_xticklabels()), strict=True):
        assert place == int(layer) * n_heads + (n_heads - 1) / 2, "the middle of its heads"
    borders = [line.get_xdata()[0] for line in panel.lines]
    assert borders == [n_heads * layer - 0.5 for layer in range(1, n_layers)]


def test_the_highlighted_head_is_outlined_in_the_map_of_ranks():
    drawing = head_ranking.draw(made_up(4, 8), sections({"highlight": {"layer": 2, "head": 3}}))
    (outline,) = drawing.figure.axes[0].patches
    n_methods = len(drawing.figure.axes[0].get_yticks())
    assert (outline.get_xy(), outline.get_width()) == ((2 * 8 + 3 - 0.5, -0.5), 1)
    assert outline.get_height() == n_methods


def test_figure_1_shows_the_sets_and_where_every_head_ranks_by_every_method():
    tables, head = made_up(4, 8), (2, 3)
    drawing = fig1.draw(tables, sections({"highlight": {"layer": 2, "head": 3}}))
    ranking, (sets, *maps, _) = tables["head_ranking"], drawing.figure.axes
    assert [bar.get_width() for bar in sets.patches] == [442, 12_422, 40]
    # The mosaic's order: its first row, then what is new in the second.
    methods = ("parameter_gradient", "activation_gradient", "combined", "rare_tokens", "patching")
    for axes, method in zip(maps, methods, strict=True):
        rows = ranking[ranking["method"] == method]
        shares = (32 - rows.pivot(index="layer", columns="head", values="rank")) / 31
        np.testing.assert_allclose(axes.images[0].get_array(), shares)
        assert axes.images[0].origin == "lower"
        assert [patch.get_xy() for patch in axes.patches] == [(head[1] - 0.5, head[0] - 0.5)]
        *squares, name = axes.texts
        assert name.get_text() == METHOD_LABELS[method]
        expected = [COLOURS[each] for each in fig1.USES.get(method, ())]
        assert [square.get_color() for square in squares] == expected
    for method in fig1.USES:
        rows = ranking[ranking["method"] == method]
        first, own = rows[rows["rank"] == 1].iloc[0], rows[(rows["layer"] == 2) & (rows["head"] == 3)].iloc[0]
        expected = f"head {first['head']} of layer {first['layer']}", own["rank"]
        assert drawing.numbers["methods"][METHOD_LABELS[method]] == expected
    assert drawing.numbers["n_heads"] == 32


def test_figure_1_names_all_heads_that_a_method_puts_first():
    tables = made_up(4, 8)
    ranking = tables["head_ranking"]
    first = (ranking["layer"] == 2) & (ranking["head"] < 3)
    ranking.loc[ranking["method"] == "patching", "rank"] = np.where(first, 1, 4)[
        ranking["method"] == "patching"
    ]
    text = checked("fig1", fig1.draw(tables, SETTINGS))
    assert "heads 0, 1, 2 of layer 2 by activation patching." in text


def test_the_caption_gives_the_ranks_of_the_outlined_head():
    tables = made_up(4, 8)
    found = head_ranking.draw(tables, SETTINGS).numbers["ranks"]
    rows = tables["head_ranking"].set_index(["layer", "head"]).loc[[highlighted_head(tables, SETTINGS)]]
    for row in rows.to_dict("records"):
        named = found[METHOD_LABELS[row["method"]]]
        assert named == {name: row[name] for name in ("rank", "low", "high")}


def test_agreement_in_the_caption_is_that_of_single_methods():
    """Not of the combined ranking, which holds them all. Layers alone agree as the claim says."""
    tables = made_up(4, 8)
    numbers = head_ranking.draw(tables, SETTINGS).numbers
    scores = tables["head_ranking"].pivot(index=["layer", "head"], columns="method", values="score")
    single = combinations(METHOD_LABELS.keys() - {"combined"}, 2)
    values = [stats.kendalltau(scores[one], scores[other]).statistic for one, other in single]
    assert numbers["observed"] == pytest.approx(np.mean(values)) and numbers["n_heads"] == 32
    orders = np.mean([*exchanged_agreement(tables["head_ranking"], PAPER_METHODS).values()], axis=0)
    low, high = np.quantile(orders, [0.025, 0.975])
    # Draws of the figure also order the combined ranking.
    assert numbers["alone"][:3] == pytest.approx((orders.mean(), low, high), abs=0.01)


def test_agreement_is_above_the_diagonal_and_that_of_layers_below():
    """A star: fewer than 2.5 % of the random orders agree more, or less. Patching ranks at random here."""
    tables = made_up(4, 8)
    patching = tables["head_ranking"]["method"] == "patching"
    tables["head_ranking"].loc[patching, "rank"] = np.random.default_rng(0).permutation(32) + 1
    figure = head_ranking.draw(tables, SETTINGS).figure
    (panel,) = [axes for axes in figure.axes for image in axes.images if image.get_clim()[0] < 0]
    (image,) = panel.images
    assert image.get_clim() == (-1, 1), "white is no agreement, also where no two methods contradict"
    methods, shown = list(METHOD_LABELS), image.get_array()
    ranks = tables["head_ranking"].pivot(index=["layer", "head"], columns="method", values="rank")
    alone = exchanged_agreement(tables["head_ranking"], methods)
    texts = {text.get_position(): text.get_text() for text in panel.texts}
    starred = []
    for above, below in combinations(range(len(methods)), 2):
        pair = methods[above], methods[below]
        # Heads that share a rank neither agree nor disagree.
        signs = [np.sign(one - other) for one, other in combinations(ranks[[*pair]].to_numpy(), 2)]
        own = np.mean(np.prod(signs, axis=1))
        assert shown[above, below] == pytest.approx(own)
        assert shown[below, above] == pytest.approx(alone[pair].mean())
        starred.append(min(np.mean(alone[pair] > own), np.mean(alone[pair] < own)) < 0.025)
        assert texts[below, above].endswith("*") == starred[-1] and "*" not in texts[above, below]
    assert any(starred) and not all(starred)
