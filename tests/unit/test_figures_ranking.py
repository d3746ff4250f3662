"""Figure 1 and the ranks of all heads, on made-up rankings: plotted numbers and readable labels."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from figure_labels import clipped_labels, overlapping_labels
from made_rankings import ranked_with_samples
from matplotlib import pyplot as plt

from memloc.figures import fig1, head_ranking
from memloc.figures.caption import fill
from memloc.figures.style import METHOD_LABELS
from memloc.head_ranking import agreement

REPORT = Path(__file__).parents[2] / "workflow/report"
SETTINGS = {"highlight": "auto"}
SHAPES = [(4, 8), (12, 12), (30, 9), (36, 20)]  # layers, heads: mini, 125M and 12B parameters among them


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


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
    shown = np.asarray(head_ranking.draw(tables, SETTINGS).figure.axes[0].images[0].get_array())
    combined = tables["head_ranking"].query("method == 'combined'").sort_values(["layer", "head"])
    assert shown.shape[1] == shape[0] * shape[1]
    assert shown[-1].tolist() == combined["rank"].tolist()
