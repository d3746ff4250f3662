"""How many paragraphs come out under sampling, and after how many draws (2410.19482; not in the paper)."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from memloc.figures.parts.style import COLOURS, Drawing, plain_log_ticks, subplots
from memloc.scoring.sampling import extractable, log_draws
from memloc.settings.base import Section
from memloc.tables.terms.sets import HELD_OUT, UNSEEN

CONFIDENCE = 0.9
DRAWS = 1000  # of the caption
CURVE = np.geomspace(1, 1e5, 51)


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """Share that comes out against draws."""
    data = tables["scores"][["id", "em"]].merge(tables["sets"][["id", "set"]], on="id")
    data = data.merge(tables["extraction"], on="id")
    data["greedy"] = data["em"] == settings.paragraph.continuation
    data = data[data["set"] != HELD_OUT]
    data = data.assign(group=np.where(data["set"] == UNSEEN, "unseen", "seen"))
    figure, axes = subplots(2.6, width=3.6)
    return Drawing(figure, _curves(axes, data), _numbers(data))


def _curves(axes: Axes, data: pd.DataFrame) -> pd.DataFrame:
    """Draw a line for seen and one for unseen paragraphs, and greedy's share of each."""
    rows, look = [], {"seen": COLOURS["memorized"], "unseen": COLOURS["unseen"]}
    for name, group in data.groupby("group"):
        needed = np.sort(log_draws(group["log_p"].to_numpy(), CONFIDENCE))
        share = np.searchsorted(needed, np.log(CURVE), side="right") / len(group)
        axes.plot(CURVE, share, color=look[name], label=name)
        axes.axhline(group["greedy"].mean(), color=look[name], lw=0.8, ls=":", label=f"{name}, greedy")
        line = {"group": name, "n_paragraphs": len(group)}
        rows.append(pd.DataFrame({**line, "n_draws": CURVE, "fraction": share}))
    axes.set(xscale="log", xlabel="draws", ylabel="share extractable", ylim=(0, None))
    plain_log_ticks(axes.xaxis)
    axes.set_ylim(-0.02 * axes.get_ylim()[1], 1.2 * axes.get_ylim()[1])  # room for the legend
    axes.legend(loc="upper left", ncols=2)
    return pd.concat(rows)


def _numbers(data: pd.DataFrame) -> dict:
    """For seen and unseen paragraphs: how many come out, and how many of greedy decoding draws miss."""
    numbers = {"confidence": CONFIDENCE, "unseen": None}
    for name, group in data.groupby("group"):
        log_p = group["log_p"].to_numpy()
        one, many = (extractable(log_p, n_draws, CONFIDENCE) for n_draws in (1, DRAWS))
        numbers[name] = {
            "n": len(group),
            "greedy": int(group["greedy"].sum()),
            "one": int(one.sum()),
            "many": int(many.sum()),
            "missed": int((group["greedy"] & ~many).sum()),
        }
    return numbers
