"""Lead of the model's first choice over its second along the continuation (not in the paper)."""

from typing import Any

import pandas as pd

from memloc.data.sets import without_controls
from memloc.figures.parts.style import COLOURS, TEXT_LABELS, Drawing, subplots
from memloc.settings.base import Section
from memloc.statistics.uncertainty import mean

LINES = {"corpus": "-", "model": "--"}


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """Mean margin between the two largest logits per position, with a 95 % band over paragraphs."""
    statistics = without_controls(tables["token_statistics"])
    data = mean_margins(statistics)
    figure, axes = subplots(4.6, 2.6)
    for (name, continuation), label in TEXT_LABELS.items():
        rows = data[(data["set"] == name) & (data["continuation"] == continuation)]
        if rows.empty:
            continue
        colour = COLOURS[name]
        axes.fill_between(rows["position"], rows["low"], rows["high"], color=colour, alpha=0.2, lw=0)
        axes.plot(rows["position"], rows["mean"], LINES[continuation], color=colour, label=label)
    axes.set(xlabel="token position in the paragraph", ylabel="largest logit \u2212 second largest")
    axes.set_ylim(bottom=0)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside upper center", ncols=len(TEXT_LABELS))
    return Drawing(figure, data, _numbers(statistics))


def mean_margins(statistics: pd.DataFrame) -> pd.DataFrame:
    """Mean margin (logits) per set, continuation and position, with its interval; none for few paragraphs."""
    margins = statistics.groupby(["set", "continuation", "position"])["margin"]
    rows = {group: mean(values) for group, values in margins}
    data = pd.DataFrame(rows.values(), index=pd.MultiIndex.from_tuples(rows, names=margins.keys))
    data = data.replace([float("inf"), -float("inf")], float("nan")).reset_index()
    return data.rename(columns={"value": "mean", "n": "n_paragraphs"})


def _numbers(statistics: pd.DataFrame) -> dict[str, Any]:
    first = statistics["position"].min()
    means = statistics.groupby(["set", "continuation"])["margin"].mean()
    at_first = statistics[statistics["position"] == first].groupby(["set", "continuation"])["margin"].mean()
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
