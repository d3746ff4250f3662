"""Figure 1 and the ranks of all heads, on made-up rankings: plotted numbers and readable labels."""

import numpy as np
import pandas as pd
import pytest
from drawn import assert_as_stored
from figure_labels import checked
from made_rankings import ranked_with_samples

from memloc.figures import fig1, head_ranking
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


def test_agreement_and_its_arrows_are_drawn_as_stored():
    """Patching ranks at random here, so that some pairs of methods have an arrow and others none."""
    tables = made_up(4, 8)
    patching = tables["head_ranking"]["method"] == "patching"
    tables["head_ranking"].loc[patching, "rank"] = np.random.default_rng(0).permutation(32) + 1
    drawing = head_ranking.draw(tables, SETTINGS)
    assert_as_stored("head_ranking", drawing)
    assert "of the model's 32 heads with" in checked("head_ranking", drawing)
