"""Figure 3: perturbing single prefix tokens (paper 4), and all but a few (not in the paper)."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from memloc.figures.parts.perturbation_example import CURVES, draw_example, example_ids
from memloc.figures.parts.style import COLOURS, LABELS, Drawing, Numbers, of_panels, panel_labels, subplots
from memloc.figures.parts.token_map import ABOVE_MARKS, label_height, prefix_texts
from memloc.perturbation import effects
from memloc.settings.base import Section
from memloc.statistics import uncertainty
from memloc.tables.terms.kept_tokens import COSTLIEST, KEPT, RANDOM

SETS = ("memorized", "non_memorized")
KEPT_LOOKS = {
    COSTLIEST: ("those that cost most", COLOURS["memorized"]),
    RANDOM: ("random ones", COLOURS["contrastive"]),
}


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """(a) NLL and EM of an example per perturbed token; (b) mean EM drop per position and (c) mean NLL by the
    number of tokens that are kept, with 95 % bands."""
    n_prefix = settings.paragraph.prefix
    drops = effects.em_drops(tables["perturbation"])
    matrices = {name: effects.drop_matrix(drops[drops["set"] == name]) for name in SETS}
    example = example_ids(tables)[0]
    panels, texts = (*CURVES, 1.7, 1.3), prefix_texts(tables, example, n_prefix)  # inches
    figure, axes = subplots(sum(panels) + label_height(texts) + 1.2, nrows=4, height_ratios=panels)
    nll_axes, em_axes, mean_axes, kept_axes = axes
    example_data, example_numbers = draw_example(nll_axes, em_axes, tables, example, n_prefix)

    mean_rows = [_draw_mean(mean_axes, name, matrix) for name, matrix in matrices.items()]
    mean_axes.set(xlabel="replaced prefix token (position)", ylabel="mean drop of exact match\n(tokens)")
    mean_axes.set(xlim=(-0.7, n_prefix - 0.3), ylim=(0, None))
    mean_axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2)
    kept_data = _draw_kept(kept_axes, tables["kept_tokens"])
    panel_labels((nll_axes, mean_axes, kept_axes), ABOVE_MARKS)

    numbers = {
        "example": example_numbers,
        "drops": {name: uncertainty.mean(matrix.mean(axis=1)) for name, matrix in matrices.items()},
        "kept": _kept_numbers(tables["kept_tokens"], settings.paragraph),
    }
    return Drawing(figure, of_panels(a=example_data, b=pd.concat(mean_rows), c=kept_data), numbers)


def _draw_mean(axes: Axes, name: str, drops: pd.DataFrame) -> pd.DataFrame:
    mean = drops.to_numpy().mean()
    text = f"{LABELS[name]}: {mean:.1f} tokens per replaced token ({len(drops)} paragraphs)"
    data = _band(axes, drops, "em_drop", drops.to_numpy().max(), color=COLOURS[name], label=text)
    return data.assign(set=name)[["set", *data]]


def _draw_kept(axes: Axes, kept_tokens: pd.DataFrame) -> pd.DataFrame:
    """Mean NLL by the number of kept tokens, the costliest and random ones."""
    frames = []
    for name, (label, colour) in KEPT_LOOKS.items():
        rows = effects.drop_matrix(kept_tokens[kept_tokens["kept"] == name], "nll", "n_kept")
        style = {"color": colour, "marker": "o", "ms": 2, "label": label}
        frames.append(_band(axes, rows, "nll", np.inf, **style).assign(kept=name))
    axes.set(xlabel="kept prefix tokens (number), all others replaced", ylabel="NLL\n(nats per token)")
    axes.set(xlim=(0, None), ylim=(0, None))
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2)
    return pd.concat(frames)


def _band(axes: Axes, values: pd.DataFrame, name: str, most: float, **style: Any) -> pd.DataFrame:
    """Draw the mean of each column over paragraphs, with its band, cut at `most`; returns the numbers."""
    found = uncertainty.table([uncertainty.mean(values[column]) for column in values], values.columns)
    found["high"] = found["high"].clip(upper=most)
    axes.fill_between(found.index, found["low"], found["high"], color=style["color"], alpha=0.2, lw=0)
    axes.plot(found["value"], **style)
    return found.rename(columns={"value": name}).drop(columns="n").reset_index()


def _kept_numbers(kept_tokens: pd.DataFrame, lengths: Section) -> Numbers:
    """How many of the n paragraphs are recited from few kept tokens (first draw)."""
    few = effects.few_kept(kept_tokens, lengths.prefix)
    recited = few[(few["draw"] == 0) & (few["em"] == lengths.continuation)]["kept"].value_counts()
    return {
        "few": int(few["n_kept"].iloc[0]),
        "n": few["id"].nunique(),
        **{name: int(recited.get(name, 0)) for name in KEPT},
    }
