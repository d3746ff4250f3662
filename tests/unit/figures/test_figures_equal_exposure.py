"""Figure of pairs of equal exposure: what is plotted and said of made-up tables."""

import numpy as np
import pandas as pd
from drawn import assert_as_stored, words
from figure_labels import checked

from memloc.figures import equal_exposure
from memloc.settings.sections import sections

SETTINGS = sections({"highlight": {"layer": 1, "head": 2}, "paragraph": {"length": 100, "prefix": 50}})
N, LAYERS, HEADS = 12, 3, 4


def made_up(n: int = N) -> dict[str, pd.DataFrame]:
    """n pairs, whose memorized paragraphs have even ids, and a paragraph in none, of other values."""
    rng = np.random.default_rng(0)
    sets = pd.DataFrame({"id": range(2 * n + 1), "set": ["memorized", "partly_30_49"] * n + ["memorized"]})
    sets["pair"] = (sets["id"] // 2).where(sets["id"] < 2 * n).astype("Int64")
    layers = sets[["id"]].merge(pd.DataFrame({"layer": range(LAYERS)}), how="cross")
    heads = layers.merge(pd.DataFrame({"head": range(HEADS)}), how="cross")
    gradients = layers.assign(nll=np.exp(rng.normal(size=len(sets)))[layers["id"]])
    size = gradients["nll"] * np.exp(rng.normal(0, 0.3, len(gradients)))
    bypassed = [
        layers.assign(block=block, group="paired", nll_gained=rng.normal(size=len(layers)))
        for block in ("attention", "mlp")
    ]
    ablated = heads.assign(group="paired", nll_gained=rng.normal(size=len(heads)))
    others = ablated.assign(group="memorized", nll_gained=9.0)
    return {
        "sets": sets,
        "paragraph_gradients": gradients.assign(sum_abs=size, score_sum=size),
        "head_ablation": pd.concat([ablated, others]),
        "layer_bypass": pd.concat([*bypassed, bypassed[0].assign(group="memorized", nll_gained=9.0)]),
    }


def test_heads_are_counted_and_marked_by_intervals_of_all_of_them():
    tables = made_up()
    rows = tables["head_ablation"]
    memorized, paired = rows["id"] % 2 == 0, rows["group"] == "paired"
    for head, more in ((0, 50.0), (1, -50.0)):
        rows.loc[paired & memorized & (rows["layer"] == 0) & (rows["head"] == head), "nll_gained"] += more
    numbers = equal_exposure.draw(tables, SETTINGS).numbers
    assert (numbers["n_above"], numbers["n_below"], numbers["n_heads"]) == (1, 1, 12)


def test_the_caption_says_what_differs_or_that_there_are_no_pairs():
    caption = checked("equal_exposure", equal_exposure.draw(made_up(), SETTINGS))
    assert caption.startswith("Of 12 pairs of equal exposure, ")
    few = equal_exposure.draw(made_up(3), SETTINGS)
    assert np.isinf(few.numbers["gradients"].low) and checked("equal_exposure", few)
    none = equal_exposure.draw(made_up(0), SETTINGS)
    assert "no pairs of equal exposure" in words(none.figure.axes[0].texts)
    assert "nothing can be compared at equal exposure" in checked("equal_exposure", none)


def test_it_is_drawn_as_stored():
    assert_as_stored("equal_exposure", equal_exposure.draw(made_up(), SETTINGS))
