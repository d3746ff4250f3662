"""Figure 6: value gradients and attention of one layer, over the tokens of an example (paper 6.1, 6.2)."""

import numpy as np
import pandas as pd

from memloc.figures.parts import token_map
from memloc.figures.parts.heatmap import name_head
from memloc.figures.parts.perturbation_example import example_ids
from memloc.figures.parts.style import Drawing, panel_labels, subplots
from memloc.localization import head_profiles
from memloc.localization.highlight import highlighted_head
from memloc.model.head_groups import stored_head
from memloc.settings.base import Section

TITLES = {"gradient": "max |gradient| of v", "attention": "attention"}


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """Heads x prefix tokens: (a) max |gradient| of the values, (b) attention of the first decoded token."""
    n_prefix = settings.paragraph.prefix
    layer, head = highlighted_head(tables, settings)
    example = example_ids(tables)[0]
    gradient = head_profiles.value_gradient_profiles(tables["activation_gradients"], layer, n_prefix)
    ids = gradient.index.get_level_values("id").unique()
    attention = head_profiles.attention_profiles(tables["attention"], layer, ids, n_prefix)
    found = {"gradient": gradient, "attention": attention}
    panels = {name: values.loc[example] for name, values in found.items()}
    rows = {"gradient": stored_head(head, *(len(panels[name]) for name in panels)), "attention": head}
    texts = token_map.prefix_texts(tables, example, n_prefix)
    marked = token_map.marked_position(tables, example)

    height = sum(token_map.panel_height(len(panel)) for panel in panels.values())
    height += token_map.label_height(texts)
    figure, axes = subplots(height, nrows=2, sharex=True)
    for panel_axes, (name, values) in zip(axes, panels.items(), strict=True):
        token_map.draw_map(panel_axes, values, TITLES[name], rows[name], marked)
    of_values = "head" if len(panels["gradient"]) == len(panels["attention"]) else "key/value head"
    axes[0].set_ylabel(of_values)
    token_map.label_tokens(axes[-1], texts, marked)
    panel_labels(axes, token_map.ABOVE_MARKS)
    name_head(figure, (layer, head))

    numbers = {"id": int(example), "layer": layer, "head": head, "of_values": of_values, "marked": None}
    if marked is not None:
        numbers["marked"] = token_map.label(texts[marked])
        for name, values in panels.items():
            at_token = values[marked]
            numbers[name] = {
                "top_head": int(at_token.idxmax()),
                "top_value": float(at_token.max()),
                "value": float(at_token[rows[name]]),
            }
    return Drawing(figure, _data(panels, texts), numbers)


def _data(panels: dict[str, pd.DataFrame], texts: list[str]) -> pd.DataFrame:
    data = pd.concat(
        values.melt(ignore_index=False, value_name="value").reset_index().assign(panel=name)
        for name, values in panels.items()
    )
    data["token"] = np.asarray(texts)[data["position"]]
    return data[["panel", "head", "position", "token", "value"]]
