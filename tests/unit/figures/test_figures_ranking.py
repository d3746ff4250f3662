"""Figure 1 and the ranks of all heads, on made-up rankings: plotted numbers and readable labels."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from figure_labels import checked
from made_rankings import METHOD_LABELS, ranked_with_samples

from memloc.figures import fig1, head_ranking
from memloc.localization.head_ranking import exchanged_agreement
from memloc.settings.sections import sections

SETTINGS = sections({"highlight": None})
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


def test_figure_1_names_all_heads_that_a_method_puts_first():
    tables = made_up(4, 8)
    ranking = tables["head_ranking"]
    first = (ranking["layer"] == 2) & (ranking["head"] < 3)
    ranking.loc[ranking["method"] == "patching", "rank"] = np.where(first, 1, 4)[
        ranking["method"] == "patching"
    ]
    text = checked("fig1", fig1.draw(tables, SETTINGS))
    assert "heads 0, 1, 2 of layer 2 by activation patching." in text


def test_agreement_is_above_the_diagonal_and_that_of_layers_below():
    """An arrow: fewer than 2.5 % of the random orders agree more, or less. Patching ranks at random here."""
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
    seen = set()
    for above, below in combinations(range(len(methods)), 2):
        pair = methods[above], methods[below]
        # Heads that share a rank neither agree nor disagree.
        signs = [np.sign(one - other) for one, other in combinations(ranks[[*pair]].to_numpy(), 2)]
        own = np.mean(np.prod(signs, axis=1))
        assert shown[above, below] == pytest.approx(own)
        assert shown[below, above] == pytest.approx(alone[pair].mean())
        arrows = "".join(
            arrow
            for arrow, more in (("\u2191", alone[pair] > own), ("\u2193", alone[pair] < own))
            if more.mean() < 0.025
        )
        assert texts[below, above].lstrip("\u2212.0123456789") == arrows
        assert texts[above, below].lstrip("\u2212.0123456789") == ""
        seen.add(arrows)
    assert seen == {"", "\u2191", "\u2193"}
