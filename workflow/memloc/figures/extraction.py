"""How many paragraphs come out under sampling, and after how many draws (2410.19482; not in the paper)."""

import numpy as np
import pandas as pd
from jaxtyping import Bool
from matplotlib.axes import Axes

from memloc.figures.parts.memorized_fraction import UNSEEN_AT, intervals, name_unseen, repeat_bins
from memloc.figures.parts.style import COLOURS, Drawing, of_panels, panel_labels, plain_log_ticks, subplots
from memloc.scoring.sampling import extractable, log_draws
from memloc.settings.base import Section
from memloc.tables.terms.sets import HELD_OUT, UNSEEN

CONFIDENCE = 0.9
DRAWS = (1, 10, 100, 1000)
BESIDE = 1.05  # factor of the horizontal axis between marks of one bin
CURVE = np.geomspace(1, 1e5, 51)
SHADES = ("#f2a6b0", "#e06377", "#c8102e", "#7a0a1c")  # light to dark: more draws


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """Share that comes out (a) against draws and (b) against repeats, by draws."""
    data = tables["scores"][["id", "em"]].merge(tables["sets"][["id", "set"]], on="id")
    data = data.merge(tables["paragraphs"], on="id").merge(tables["extraction"], on="id")
    data["greedy"] = data["em"] == settings.paragraph.continuation
    data = data[data["set"] != HELD_OUT].assign(
        group=lambda rows: np.where(rows["set"] == UNSEEN, "unseen", "seen")
    )
    figure, panels = subplots(2.6, ncols=2)
    plotted = {"a": _curves(panels[0], data), "b": _by_repeats(panels[1], data)}
    panel_labels(panels)
    return Drawing(figure, of_panels(**plotted), _numbers(data))


def _curves(axes: Axes, data: pd.DataFrame) -> pd.DataFrame:
    """Draw a line for seen and one for unseen paragraphs, and greedy's share."""
    rows, look = [], {"seen": COLOURS["memorized"], "unseen": COLOURS["unseen"]}
    groups = dict(iter(data.groupby("group")))
    for name, group in groups.items():
        needed = np.sort(log_draws(group["log_p"].to_numpy(), CONFIDENCE))
        share = np.searchsorted(needed, np.log(CURVE), side="right") / len(group)
        axes.plot(CURVE, share, color=look[name], label=name)
        line = {"group": name, "n_paragraphs": len(group)}
        rows.append(pd.DataFrame({**line, "n_draws": CURVE, "fraction": share}))
    axes.axhline(groups["seen"]["greedy"].mean(), color="black", lw=0.8, ls=":", label="greedy")
    axes.set(xscale="log", xlabel="draws", ylabel="share extractable", ylim=(0, None))
    plain_log_ticks(axes.xaxis)
    axes.set_ylim(-0.02 * axes.get_ylim()[1], 1.5 * axes.get_ylim()[1])  # room for the legend
    axes.legend(loc="upper left", ncols=2)
    return pd.concat(rows)


def _by_repeats(axes: Axes, data: pd.DataFrame) -> pd.DataFrame:
    """Share of each bin of repeats that comes out within so many draws, and by greedy decoding."""
    found = {f"{n:,} draws" if n > 1 else "1 draw": _out(data, n) for n in DRAWS}
    found |= {"greedy": data["greedy"].to_numpy()}
    unseen, rows = (data["group"] == "unseen").to_numpy(), []
    for number, ((label, out), colour) in enumerate(zip(found.items(), (*SHADES, "black"), strict=True)):
        bins = repeat_bins(data[~unseen].assign(out=out[~unseen]), "out")
        style = {"color": colour, "ls": ":" if label == "greedy" else "-"}
        beside = BESIDE ** (number - len(DRAWS) / 2)  # so that all marks can be seen
        axes.plot(bins["repeats_mean"] * beside, bins["fraction"], marker="o", ms=2, label=label, **style)
        axes.vlines(bins["repeats_mean"] * beside, bins["low"], bins["high"], color=colour, lw=0.8, alpha=0.6)
        rows.append(bins.assign(shown=label, group="seen"))
        if unseen.any():
            n, n_out = int(unseen.sum()), int(out[unseen].sum())
            share = intervals(pd.Series([n_out]), pd.Series([n]))
            axes.vlines(UNSEEN_AT * beside**2, share["low"], share["high"], color=colour, lw=0.8)
            axes.plot([UNSEEN_AT * beside**2], share["fraction"], marker="s", ms=2, color=colour)
            ends = {"repeats_mean": 0, "repeats_min": 0, "repeats_max": 0, "n_paragraphs": n, "n_out": n_out}
            rows.append(share.assign(**ends, shown=label, group="unseen"))
    axes.set(xscale="log", xlabel="occurrences in training", ylabel="share extractable", ylim=(-0.02, 1.02))
    plain_log_ticks(axes.xaxis)
    if unseen.any():
        name_unseen(axes)
    axes.legend(loc="upper left", bbox_to_anchor=(0.16, 1))
    return pd.concat(rows)


def _out(data: pd.DataFrame, n_draws: int) -> Bool[np.ndarray, "paragraph"]:
    """Which paragraphs come out within so many draws."""
    return extractable(data["log_p"].to_numpy(), n_draws, CONFIDENCE)


def _numbers(data: pd.DataFrame) -> dict:
    """For seen and unseen paragraphs: how many come out, and how many of these greedy decoding misses."""
    numbers = {"confidence": CONFIDENCE, "unseen": None}
    for name, group in data.groupby("group"):
        one, many = (_out(group, n_draws) for n_draws in (DRAWS[0], DRAWS[-1]))
        numbers[name] = {
            "n": len(group),
            "greedy": int(group["greedy"].sum()),
            "one": int(one.sum()),
            "many": int(many.sum()),
            "missed": int((many & ~group["greedy"]).sum()),
        }
    return numbers
