"""Kinds of recited paragraphs, and whether what localizes memories differs at equal NLL (2406.17746)."""

import numpy as np
import pandas as pd
import scipy
from matplotlib.axes import Axes

from memloc.figures.parts.style import COLOURS, Drawing, panel_labels, subplots
from memloc.settings.base import Section
from memloc.statistics.uncertainty import Interval, mean

LOOKS = {
    "reconstruction": {"color": "black", "marker": "D", "facecolors": "none"},
    "recitation": {"color": "#8c6bb1", "marker": "o"},
    "recollection": {"color": COLOURS["memorized"], "marker": "o"},
}
WORDS = {"reconstruction": "a rule gets it", "recitation": "occurs often", "recollection": "neither"}
COPIES = {0: "0", 1: "1", 2: "2-5", 6: "6+"}  # bins by their first number
PANELS = {
    "gradient": "sum of the gradients",
    "head": "largest NLL gained without\na head (nats per token)",
    "prefix": "needed tokens of the prefix",
}
ALIKE = np.log(1.1)  # by which the logarithms of the NLLs of a pair may differ


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """(a) Recited paragraphs by kind and exact copies; (b to d) where each is, by NLL."""
    data = tables["kinds"].merge(tables["near_copies"][["id", "within_0", "within_10"]], on="id")
    data = data.merge(tables["scores"][["id", "nll"]], on="id").set_index("id")
    data = data.join(measures(tables, settings.paragraph.continuation))
    figure, axes = subplots(2.6, ncols=4)
    _bars(axes[0], data)
    for panel, (name, label) in zip(axes[1:], PANELS.items(), strict=True):
        for kind, look in LOOKS.items():
            rows = data[data["kind"] == kind]
            panel.scatter(rows["nll"], rows[name], s=9, linewidths=0.6, **look)
        panel.set(xlabel="NLL (nats per token)", ylabel=label, xlim=(0, None))
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=len(LOOKS))
    panel_labels(axes)
    n_kinds = data["kind"].value_counts().reindex(LOOKS, fill_value=0)
    unseen = data["kind"][data["within_10"] == 0]
    found = {name: difference(data, name, log=name == "gradient") for name in PANELS}
    same = {"gradient": 1, "head": 0, "prefix": 0}  # a ratio, and two differences
    numbers = {
        "n": len(data),
        "sets": tables["sets"].set_index("id")["set"].loc[data.index].value_counts().to_dict(),
        **{f"n_{name}": int(n) for name, n in n_kinds.items()},
        **found,
        "told": [name for name in PANELS if not found[name].low <= same[name] <= found[name].high],
        "n_unseen": len(unseen),
        "unseen": int((unseen == "reconstruction").sum()),
    }
    return Drawing(figure, data.reset_index(), numbers)


def measures(tables: dict[str, pd.DataFrame], n_continuation: int) -> pd.DataFrame:
    """The measures of `PANELS` by paragraph, as far as it is in their samples."""
    gradients, heads = (tables[name].groupby("id") for name in ("paragraph_gradients", "head_ablation"))
    trials = tables["perturbation"].query("position >= 0")
    ended = (trials["em"] < n_continuation).groupby([trials["id"], trials["position"]]).mean()
    found = {"gradient": gradients["sum_abs"].sum(), "head": heads["nll_gained"].max()}
    return pd.DataFrame(found | {"prefix": ended.groupby("id").sum()})


def difference(data: pd.DataFrame, name: str, log: bool = False) -> Interval:
    """Memory minus reconstruction in the pairs of nearest NLLs, a tenth apart at most; or their ratio."""
    known = data.dropna(subset=[name])
    memory = known["kind"] != "reconstruction"
    nll, values = (np.log(known["nll"]), np.log(known[name]) if log else known[name])
    apart = np.abs(np.subtract.outer(nll[memory].to_numpy(), nll[~memory].to_numpy()))
    some, others = scipy.optimize.linear_sum_assignment(np.minimum(apart, ALIKE))
    pairs = apart[some, others] < ALIKE
    found = mean(values[memory].to_numpy()[some[pairs]] - values[~memory].to_numpy()[others[pairs]])
    return Interval(*np.exp(found[:3]), found.n) if log else found


def _bars(axes: Axes, data: pd.DataFrame) -> None:
    bins = pd.cut(data["within_0"], [*COPIES, np.inf], right=False, labels=[*COPIES.values()])
    below = np.zeros(len(COPIES))
    for kind, look in LOOKS.items():
        height = bins[data["kind"] == kind].value_counts(sort=False)
        axes.bar(height.index, height, bottom=below, label=f"{WORDS[kind]} ({kind})", color=look["color"])
        below += height.to_numpy()
    axes.set(xlabel="exact occurrences\nin the training text", ylabel="recited paragraphs")
