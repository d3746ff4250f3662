"""Figure 12: a second perturbed example, and the attention of another layer than Figure 6 (paper A.3)."""

import pandas as pd

from memloc.figures.parts import token_map
from memloc.figures.parts.perturbation_example import CURVES, draw_example, example_ids
from memloc.figures.parts.style import Drawing, of_panels, panel_labels, subplots
from memloc.localization.head_profiles import attention_profiles, neighbour
from memloc.localization.highlight import highlighted_head
from memloc.settings.base import Section


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """(a) NLL and EM of the second example per replaced token; (b) heads x prefix tokens of Figure 6's."""
    n_prefix = settings.paragraph.prefix
    layer, _ = highlighted_head(tables, settings)
    other = neighbour(layer, n_layers=int(tables["attention"]["layer"].max()) + 1)
    first, second = (example_ids(tables) * 2)[:2]
    shown = attention_profiles(tables["attention"], other, pd.Index([first]), n_prefix).loc[first]
    texts = token_map.prefix_texts(tables, first, n_prefix)
    marked = token_map.marked_position(tables, first)

    others = token_map.prefix_texts(tables, second, n_prefix)
    panels = (*CURVES, token_map.panel_height(len(shown)))
    height = sum(panels) + token_map.label_height(texts) + token_map.label_height(others) + 0.4
    figure, (nll_axes, em_axes, map_axes) = subplots(height, nrows=3, height_ratios=panels)
    example_data, example_numbers = draw_example(nll_axes, em_axes, tables, second, n_prefix)
    token_map.draw_map(map_axes, shown, f"attention, layer {other}", marked=marked)
    token_map.label_tokens(map_axes, texts, marked)
    panel_labels((nll_axes, map_axes), token_map.ABOVE_MARKS)

    data = shown.melt(ignore_index=False, value_name="attention").reset_index()
    data["text"] = data["position"].map(dict(enumerate(texts)))
    numbers = {"example": example_numbers, "shown": int(first), "layer": layer, "other": other}
    numbers["marked"] = None if marked is None else token_map.label(texts[marked])
    if marked is not None:
        numbers |= {"top_head": int(shown[marked].idxmax()), "top_value": float(shown[marked].max())}
    return Drawing(figure, of_panels(a=example_data, b=data), numbers)
