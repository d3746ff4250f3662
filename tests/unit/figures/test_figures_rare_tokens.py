"""Figure 7: plotted numbers, captions, readable labels."""

import numpy as np
import pandas as pd
from drawn import words
from figure_labels import checked
from made_tables import crossed

from memloc.figures import fig7
from memloc.settings.sections import sections

SETTINGS = sections({"highlight": {"layer": 1, "head": 2}})
N_RANKS = 40


def made_up(n_layers: int = 3, n_heads: int = 5) -> dict[str, pd.DataFrame]:
    """Tables in which no head is correlated: all correlations are -0.1 within a null of -0.5 to 0.3."""
    by_rank = crossed(layer=range(n_layers), head=range(n_heads), rank=range(N_RANKS))
    by_rank["attention_mean"] = np.random.default_rng(0).uniform(0.01, 0.03, len(by_rank))
    by_rank["occurrences"] = (N_RANKS - by_rank["rank"]) ** 2
    by_rank["attention_sum"] = by_rank["attention_mean"] * by_rank["occurrences"]
    counts = {"n_paragraphs": 1000, "n_unique_tokens": 34562, "n_permutations": 200}
    correlation = crossed(layer=range(n_layers), head=range(n_heads)).assign(**counts)
    for quantile, attention, pearson in (("025", 0.015, -0.5), ("975", 0.025, 0.3)):
        by_rank[f"attention_mean_null_q{quantile}"] = attention
        for name in ("pearson", "pearson_mean"):
            correlation[[name, f"{name}_null_q{quantile}"]] = -0.1, pearson
    return {"rare_tokens": by_rank, "rare_token_correlation": correlation}


def test_fig7_shows_the_head_of_interest_and_says_that_this_method_is_among_those_that_chose_it():
    firsts = {"parameter_gradient": (2, 3), "rare_tokens": (0, 1), "combined": (0, 1)}
    ranking = crossed(method=list(firsts), layer=range(3), head=range(5))
    rows = zip(ranking["method"], ranking["layer"], ranking["head"], strict=True)
    ranking["rank"] = [1 if firsts[method] == (layer, head) else 2 for method, layer, head in rows]
    drawing = fig7.draw(made_up() | {"head_ranking": ranking}, sections({"highlight": None}))
    assert words(drawing.figure.legends[0].texts) == ["head of interest: 1 of layer 0"]
    text = checked("fig7", drawing)
    assert "of 5 heads of layer 0" in text and "head of interest, 1 (black, outlined)," in text
    assert "which this measure helped to choose" in text


def test_fig7_has_no_second_head_in_a_layer_of_one():
    drawing = fig7.draw(made_up(2, 1), sections({"highlight": {"layer": 1, "head": 0}}))
    assert "rank 1 of 1" in checked("fig7", drawing)


def test_labels_are_readable_in_a_larger_model():
    assert checked("fig7", fig7.draw(made_up(12, 12), SETTINGS))
