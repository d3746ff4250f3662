"""Figure 5: exact match after unlearning and editing with all, top or random weights (paper 5.3)."""

import pandas as pd
from matplotlib.axes import Axes

from memloc.figures.parts.style import COLOURS, Drawing, Numbers, panel_labels, side_by_side, subplots
from memloc.settings.base import Section

ARM_LABELS = {"all": "all weights", "top": "top gradients", "random": "random weights"}
OBJECTIVE_LABELS = {"unlearn": "unlearning", "edit": "editing"}
SETS = {"memorized": "em_memorized", "non_memorized": "em_control"}
LABELS = {"memorized": "changed paragraph", "non_memorized": "control: the model's own earlier output"}
APART = 0.15  # distance of the two sets from the middle of an arm
NEAR = 1.5  # tokens up to which marks would touch


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """A panel per objective: by arm, a line from the EM of every edited paragraph to the mean EM of its
    controls, and the means of both."""
    paragraph, runs = settings.paragraph, tables["edits"]
    figure, axes = subplots(2.8, ncols=2, sharey=True)
    for panel, (objective, title) in zip(axes, OBJECTIVE_LABELS.items(), strict=True):
        for place, arm in enumerate(ARM_LABELS):
            rows = runs[(runs["objective"] == objective) & (runs["arm"] == arm)]
            _paragraphs(panel, rows, place)
        panel.axhline(paragraph.continuation, color="0.8", lw=0.5, ls=":", zorder=0)
        panel.set_xticks(range(len(ARM_LABELS)), ARM_LABELS.values())
        panel.tick_params(axis="x", length=0)
        panel.set(title=title, xlim=(-0.6, len(ARM_LABELS) - 0.4))
    panel_labels(axes)
    axes[0].set_ylabel("exact match (tokens)")
    axes[0].set_ylim(-0.04 * paragraph.continuation, 1.12 * paragraph.continuation)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=len(SETS))
    data = runs[["id", "objective", "arm", "learning_rate", *SETS.values(), "em_target"]]
    return Drawing(figure, data, _numbers(runs, settings))


def _paragraphs(axes: Axes, rows: pd.DataFrame, place: int) -> None:
    """The two sets of an arm, around a place; each edit is a line between them."""
    ends = {name: place + side * APART for name, side in zip(SETS, (-1, 1), strict=True)}
    places = {name: x + side_by_side(rows[SETS[name]], NEAR, 0.035, 0.12) for name, x in ends.items()}
    axes.plot([*places.values()], rows[[*SETS.values()]].to_numpy().T, color="0.8", lw=0.5, zorder=1)
    for (name, column), x in zip(SETS.items(), ends.values(), strict=True):
        label, mean = (LABELS[name] if place == 0 else None), rows[column].mean()
        style = {"color": COLOURS[name], "linewidth": 0.3, "edgecolor": "white", "clip_on": False}
        axes.scatter(places[name], rows[column], s=10, label=label, zorder=3, **style)
        axes.hlines(mean, x - 0.1, x + 0.1, color=COLOURS[name], lw=1.6, alpha=0.5, zorder=2)
        side, align = (-1, "right") if x < place else (1, "left")
        away = x + side * max(0.1, (side * (places[name] - x)).max())  # from all marks
        beside = {"xytext": (4 * side, 0), "textcoords": "offset points", "ha": align, "va": "center"}
        axes.annotate(f"{mean:.1f}", (away, mean), color=COLOURS[name], fontsize=6, **beside)


def _numbers(runs: pd.DataFrame, settings: Section) -> Numbers:
    """Mean exact matches (tokens), and paragraphs that are no longer recited, by objective and arm."""
    n_continuation = settings.paragraph.continuation
    rows = runs.assign(gone=runs["em_memorized"] < n_continuation, n=1)
    arms = rows.groupby(["objective", "arm"], observed=True, sort=False).agg(
        {"em_memorized": "mean", "em_control": "mean", "gone": "sum", "n": "sum"}
    )
    return {
        "n_continuation": n_continuation,
        **{name: getattr(settings.editing, name) for name in ("steps", "n_controls", "fraction")},
        "arms": [ARM_LABELS[arm] for arm in arms.index.unique("arm")],
        "done": {label: arms.loc[name].to_dict("list") for name, label in OBJECTIVE_LABELS.items()},
    }
