"""One memorized paragraph, with the effect of perturbing each prefix token (paper 4; Figures 3 and 12)."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes

from memloc.figures.parts.style import COLOURS
from memloc.figures.parts.token_map import label, label_tokens, mark_position, prefix_texts
from memloc.perturbation.effects import em_drops, strongest

CURVES = (1.0, 1.0)  # heights in inches of both panels


def example_ids(tables: Mapping[str, pd.DataFrame]) -> list[int]:
    """Memorized paragraphs in the order in which figures show them as examples, usual ones first: those whose
    strongest replacement is at the most common place. Ties go by id. Those that lose nothing come last.
    """
    perturbation = tables["perturbation"]
    top = strongest(em_drops(perturbation[perturbation["set"] == "memorized"])).set_index("id")
    lost = top["em_drop"] > 0
    elsewhere = ~top["position"].isin(top.loc[lost, "position"].mode())
    ranked = pd.DataFrame({"unchanged": ~lost, "elsewhere": elsewhere})
    return ranked.sort_values(["unchanged", "elsewhere", "id"]).index.tolist()


def draw_example(
    nll_axes: Axes, em_axes: Axes, tables: Mapping[str, pd.DataFrame], paragraph: int, n_prefix: int
) -> tuple[pd.DataFrame, dict]:
    """Draw NLL (nats per token) and EM (tokens) against the perturbed token; the axes share the x axis.

    Several draws are shown by their mean and range. Dashed: unperturbed. Marked: the strongest perturbation.

    Returns:
        The plotted numbers (position, text; mean, lowest and highest nll and em), and those for a caption.
    """
    rows = tables["perturbation"].query("id == @paragraph")
    unperturbed = rows[rows["position"] < 0].iloc[0]
    columns = {"nll": "nll_original", "em": "em"}
    data = pd.DataFrame({"position": range(n_prefix), "text": prefix_texts(tables, paragraph, n_prefix)})
    by_position = rows[rows["position"] >= 0].groupby("position")
    for axes, (name, column) in zip((nll_axes, em_axes), columns.items(), strict=True):
        found = by_position[column].agg(["mean", "min", "max"]).add_prefix(f"{name}_")
        data = data.join(found, on="position")
        low, high = data[f"{name}_min"], data[f"{name}_max"]
        axes.fill_between(data["position"], low, high, color=COLOURS["perturbed"], alpha=0.2, lw=0)
        style = {"color": COLOURS["perturbed"], "marker": "o", "ms": 2, "lw": 0.7}
        axes.plot(data["position"], data[f"{name}_mean"], **style)
        axes.axhline(unperturbed[column], color=COLOURS["memorized"], ls="--", lw=0.7)

    top = strongest(em_drops(rows)).iloc[0]
    for axes in (nll_axes, em_axes):
        axes.axvline(top["position"], color=COLOURS["perturbed"], alpha=0.25, lw=4, zorder=0)
        axes.set_xlim(-0.7, n_prefix - 0.3)
    nll_axes.set(ylabel="NLL\n(nats per token)", ylim=(0, None))
    most = int(unperturbed["em"])
    em_axes.set(ylabel="exact match\n(tokens)", ylim=(-0.04 * most, 1.08 * most), yticks=(0, most // 2, most))
    nll_axes.tick_params(axis="x", length=0, labelbottom=False)
    mark_position(nll_axes, top["position"])
    label_tokens(em_axes, data["text"].tolist(), int(top["position"]))
    told = {
        "old": label(data["text"].iloc[int(top["position"])]),
        "new": label(tables["vocabulary"].set_index("token")["text"].loc[top["token"]]),
    }
    return data, told | _effects(data, top, most)


def _effects(data: pd.DataFrame, top: pd.Series, em_unperturbed: int) -> dict[str, int]:
    """Numbers for a caption: the strongest perturbation, and how many positions have an effect."""
    costliest = em_unperturbed - data["em_min"]  # the largest drop over a position's draws
    distances = len(data) - data["position"]
    return {
        "id": int(top["id"]),
        "distance": len(data) - int(top["position"]),
        "em_drop": int(top["em_drop"]),
        "em_unperturbed": em_unperturbed,
        "n_with_effect": int((costliest > 0).sum()),
        "within": int(distances[costliest > 0].max()) if (costliest > 0).any() else 0,
        "n_positions": int(costliest.count()),
    }
