"""Maps of layers x components: where every cell lies, and labels that can be read at every size."""

import made_activations
import numpy as np
import pandas as pd
import pytest
from figure_labels import clipped_labels, drawn_labels, overlapping_labels

from memloc.figures.parts.gradient_summary import scores_of_heads
from memloc.figures.parts.heatmap import NO_HEAD, MapPanel, layer_matrix, maps_with_bars
from memloc.figures.parts.style import subplots


def components(
    n_layers: int, n_heads: int, n_kv_heads: int | None = None, gated: bool = False
) -> pd.DataFrame:
    """Rows layer, component, head of the matrices, in the order of the weights' table."""
    n_kv_heads = n_kv_heads or n_heads
    heads = {"W_Q": n_heads, "W_K": n_kv_heads, "W_V": n_kv_heads, "W_O": n_heads}
    blocks = ("W_in", "W_out", *(["W_gate"] if gated else []))
    return made_activations.components(n_layers, heads | dict.fromkeys(blocks))


def panel(frame: pd.DataFrame, title: str = "memorized") -> MapPanel:
    matrix = layer_matrix(frame, "value")
    return MapPanel(matrix, matrix.sum(axis=1).to_frame(), ["0.5"], title, "black")


SHAPES = {
    "gpt-neo-125m": (12, 12, {}),
    "grouped queries, gated": (30, 9, {"n_kv_heads": 3, "gated": True}),
    "many heads": (24, 32, {}),
}


@pytest.mark.parametrize(("shape", "scale"), [*zip(SHAPES, (3e-7, 5e4, 1), strict=True)])
def test_labels_are_on_the_page_and_apart(shape, scale):
    n_layers, n_heads, options = SHAPES[shape]
    frame = components(n_layers, n_heads, **options)
    frame = frame.assign(value=np.random.default_rng(0).gamma(1, scale, len(frame)))
    figure = maps_with_bars([panel(frame)] * 3, (1, 2), ("mean max |gradient|", "layer sum"))
    assert clipped_labels(figure) == [] and overlapping_labels(figure) == []
    if shape == "gpt-neo-125m":
        texts = [text for text, _ in drawn_labels(figure)]
        assert sum(text == "10" for text in texts) == 3 * (4 + 1)  # four components, and layer 10
        assert all(texts.count(name) == 3 for name in ("W_K", "W_Q", "W_V", "W_O", "W_in", "W_out"))


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
    assert scores_of_heads(frame, "value").loc[0].tolist() == [3.0, 0.0, 5.0, 5.0]


def test_the_label_check_sees_overlaps_and_clipping():
    figure, axes = subplots(2, 3)
    axes.text(0.5, 0.5, "one")
    axes.text(0.51, 0.5, "two")
    figure.text(0.99, 0.5, "cut off")
    assert ("one", "two") in overlapping_labels(figure)
    assert clipped_labels(figure) == ["cut off"]
