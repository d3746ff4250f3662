"""Figure 3: perturbing single prefix tokens (paper 4)."""

import pandas as pd
from matplotlib.axes import Axes

from memloc.figures.parts.perturbation_example import CURVES, draw_example, example_ids
from memloc.figures.parts.style import COLOURS, LABELS, Drawing, of_panels, panel_labels, subplots
from memloc.figures.parts.token_map import ABOVE_MARKS, label_height, prefix_texts
from memloc.perturbation import effects
from memloc.settings.base import Section
from memloc.statistics import uncertainty

SETS = ("memorized", "non_memorized")


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """(a) NLL and EM of an example per perturbed token; (b) mean EM drop per position, with 95 % bands."""
    n_prefix = settings.paragraph.prefix
    drops = effects.em_drops(tables["perturbation"])
    matrices = {name: effects.drop_matrix(drops[drops["set"] == name]) for name in SETS}
    example = example_ids(tables)[0]
    panels, texts = (*CURVES, 1.7), prefix_texts(tables, example, n_prefix)  # inches
    figure, axes = subplots(sum(panels) + label_height(texts) + 0.8, nrows=3, height_ratios=panels)
    nll_axes, em_axes, mean_axes = axes
    example_data, example_numbers = draw_example(nll_axes, em_axes, tables, example, n_prefix)

    mean_rows = [_draw_mean(mean_axes, name, matrix) for name, matrix in matrices.items()]
    mean_axes.set(xlabel="replaced prefix token (position)", ylabel="mean drop of exact match\n(tokens)")
    mean_axes.set(xlim=(-0.7, n_prefix - 0.3), ylim=(0, None))
    mean_axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2)
    panel_labels((nll_axes, mean_axes), ABOVE_MARKS)

    memorized, place = matrices["memorized"], n_prefix - example_numbers["distance"]
    alike = (memorized[place] == memorized.max(axis=1)) & (memorized[place] > 0)
    numbers = {
        "example": example_numbers | {"n_alike": int(alike.sum()), "n_all": len(alike)},
        "drops": {name: uncertainty.mean(matrix.mean(axis=1)) for name, matrix in matrices.items()},
    }
    return Drawing(figure, of_panels(a=example_data, b=pd.concat(mean_rows)), numbers)


def _draw_mean(axes: Axes, name: str, drops: pd.DataFrame) -> pd.DataFrame:
    """Draw the mean of each position over paragraphs, with its band, which no drop is beyond."""
    found = uncertainty.table([uncertainty.mean(drops[position]) for position in drops], drops.columns)
    most, mean = drops.to_numpy().max(), drops.to_numpy().mean()
    found["high"] = found["high"].clip(upper=most)
    axes.fill_between(found.index, found["low"], found["high"], color=COLOURS[name], alpha=0.2, lw=0)
    text = f"{LABELS[name]}: {mean:.1f} tokens per replaced token ({len(drops)} paragraphs)"
    axes.plot(found["value"], color=COLOURS[name], label=text)
    data = found.rename(columns={"value": "em_drop"}).drop(columns="n").reset_index()
    return data.assign(set=name)[["set", *data]]
