"""What forgetting costs: EM lost by the edited paragraph against damage to text in no objective (extends Fig.
5)."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from memloc.figures.parts.edit_summary import ARM_COLOURS, ARM_LABELS, OBJECTIVE_LABELS, arms_of
from memloc.figures.parts.style import MARKERS, PAGE_WIDTH, Drawing, panel_label, subplots
from memloc.removal.runs import own_runs
from memloc.settings.base import Section

DAMAGE = {
    "nll_damage": "NLL gained by held-out paragraphs (nats per token)",
    "em_damage": "EM lost by other memorized paragraphs (tokens)",
}
FORGOTTEN = 0.8  # share of the continuation that must be lost for a paragraph to count as forgotten
LINEAR = {"nll_damage": 0.01, "em_damage": 1.0}  # axes are linear below, logarithmic above


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """Rows: objectives; columns: kinds of damage; a line per arm and learning rate runs along the steps."""
    data = tradeoff(own_runs(tables["edit_trajectories"]))
    figure, axes = subplots(PAGE_WIDTH, 4.2, nrows=2, ncols=2, sharey=True, sharex="col")
    panels = [(objective, damage) for objective in OBJECTIVE_LABELS for damage in DAMAGE]
    for panel, (objective, damage), letter in zip(axes.flat, panels, "abcd", strict=True):
        _lines(panel, data[data["objective"] == objective], damage)
        panel_label(panel, letter)
        panel.set_title(OBJECTIVE_LABELS[objective])
    for panel, label in zip(axes[1], DAMAGE.values(), strict=True):
        panel.set_xlabel(label)
    for panel in axes[:, 0]:
        panel.set_ylabel("EM lost by the paragraph (tokens)")
    _legend(figure, data)
    return Drawing(figure, data, _numbers(data, settings))


def tradeoff(trajectories: pd.DataFrame) -> pd.DataFrame:
    """Means over paragraphs of what is lost since step 0, per objective, arm, learning rate and step."""
    run = ["id", "objective", "arm", "learning_rate"]
    first = trajectories[trajectories["step"] == 0].set_index(run)
    frame = trajectories.set_index([*run, "step"])
    lost = pd.DataFrame(
        {
            "em_lost": first["em_memorized"] - frame["em_memorized"],
            "nll_damage": frame["nll_held_out"] - first["nll_held_out"],
            "em_damage": first["em_other"] - frame["em_other"],
        }
    )
    runs = lost.groupby(["objective", "arm", "learning_rate", "step"])
    return runs.mean().assign(n=runs.size()).reset_index()


def _lines(axes: Axes, data: pd.DataFrame, damage: str) -> None:
    rates = sorted(data["learning_rate"].unique())
    for (arm, rate), rows in data.groupby(["arm", "learning_rate"]):
        rows = rows.sort_values("step")
        style = {"color": ARM_COLOURS[arm], "lw": 0.8, "marker": MARKERS[rates.index(rate) % len(MARKERS)]}
        axes.plot(rows[damage], rows["em_lost"], ms=3, mew=0, alpha=0.85, **style)
    axes.set_xscale("symlog", linthresh=LINEAR[damage], linscale=0.5)
    low, high = axes.get_xlim()
    axes.set_xlim(min(low, -LINEAR[damage]), max(high, LINEAR[damage]))  # where nothing is lost, too
    axes.xaxis.set_major_formatter("{x:g}")
    axes.axvline(0, color="0.8", lw=0.5, zorder=0)


def _legend(figure, data: pd.DataFrame) -> None:
    arms = [Line2D([], [], color=ARM_COLOURS[arm], label=ARM_LABELS[arm]) for arm in arms_of(data)]
    rates = [
        Line2D([], [], color="0.4", ls="", ms=3, marker=MARKERS[place % len(MARKERS)], label=f"rate {rate:g}")
        for place, rate in enumerate(sorted(data["learning_rate"].unique()))
    ]
    figure.legend(handles=[*arms, *rates], loc="outside upper center", ncols=len(arms) + len(rates))


def _numbers(data: pd.DataFrame, settings: Section) -> dict[str, Any]:
    enough = FORGOTTEN * settings.paragraph.continuation
    final = data[data["step"] == data["step"].max()]
    cheapest = {}
    for objective, label in OBJECTIVE_LABELS.items():
        rows = final[(final["objective"] == objective) & (final["em_lost"] >= enough)]
        best = rows.sort_values("nll_damage").drop_duplicates("arm")
        cheapest[label] = [{**row, "label": ARM_LABELS[row["arm"]]} for row in best.to_dict(orient="records")]
    sizes = [{"rate": rate, "n": int(n)} for rate, n in data.groupby("learning_rate")["n"].max().items()]
    return {"steps": int(data["step"].max()), "enough": enough, "cheapest": cheapest, "sizes": sizes}
