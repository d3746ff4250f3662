"""Lead of the model's first choice over its second along the continuation (not in the paper)."""

from typing import Any

import pandas as pd

from memloc.figures.min_k import GROUPS
from memloc.figures.style import COLOURS, Drawing, subplots

LINES = {"corpus": "-", "model": "--"}
Z = 1.96  # of a 95 % band


def draw(tables: dict[str, pd.DataFrame], settings: dict) -> Drawing:
    """Mean gap between the two largest logits per position, with a 95 % band over paragraphs."""
    statistics = tables["token_statistics"]
    gaps = statistics.groupby(["set", "continuation", "position"])["top_gap"]
    data = pd.DataFrame({"mean": gaps.mean(), "standard_error": gaps.sem(), "n_paragraphs": gaps.size()})
    data = data.reset_index()
    figure, axes = subplots(4.6, 2.6)
    for (name, continuation), label in GROUPS.items():
        rows = data[(data["set"] == name) & (data["continuation"] == continuation)]
        if rows.empty:
            continue
        band = Z * rows["standard_error"]
        colour = COLOURS[name]
        axes.fill_between(
            rows["position"], rows["mean"] - band, rows["mean"] + band, color=colour, alpha=0.2, lw=0
        )
        axes.plot(rows["position"], rows["mean"], LINES[continuation], color=colour, label=label)
    axes.set(xlabel="token position in the paragraph", ylabel="largest logit \u2212 second largest")
    axes.set_ylim(bottom=0)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside upper center", ncols=len(GROUPS))
    return Drawing(figure, data, _numbers(statistics))


def _numbers(statistics: pd.DataFrame) -> dict[str, Any]:
    first = statistics["position"].min()
    means = statistics.groupby(["set", "continuation"])["top_gap"].mean()
    at_first = statistics[statistics["position"] == first].groupby(["set", "continuation"])["top_gap"].mean()
    own_choice = (
        (statistics["true_rank"] == 0).groupby([statistics["set"], statistics["continuation"]]).mean()
    )
    paragraphs = statistics.groupby("set")["id"].nunique()
    return {
        "first_position": int(first),
        "n_memorized": int(paragraphs["memorized"]),
        "n_non_memorized": int(paragraphs["non_memorized"]),
        "memorized": float(means["memorized", "corpus"]),
        "memorized_first": float(at_first["memorized", "corpus"]),
        "non_memorized": {name: float(value) for name, value in means["non_memorized"].items()},
        "non_memorized_first": {name: float(value) for name, value in at_first["non_memorized"].items()},
        "first_choice_corpus": float(own_choice["non_memorized", "corpus"]),
    }
