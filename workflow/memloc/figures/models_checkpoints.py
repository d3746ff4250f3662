"""When paragraphs become memorized over the checkpoints of one training (not in the paper)."""

import numpy as np
import pandas as pd
from jaxtyping import Bool
from matplotlib.axes import Axes
from matplotlib.ticker import EngFormatter, NullLocator

from memloc.data.sets import trained_on
from memloc.figures.parts.memorized_fraction import intervals, unseen_by_model
from memloc.figures.parts.style import COLOURS, Drawing, panel_labels, subplots
from memloc.settings.base import Section
from memloc.statistics.uncertainty import proportion


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """Shares of the paragraphs that all checkpoints scored: those memorized at each, and those that stay so
    up to the last one, with 95 % bands."""
    models = tables["models"].sort_values("step")
    sets = trained_on(tables["sets"])
    found = sets.assign(memorized=sets["set"] == "memorized").pivot(
        index="id", columns="model", values="memorized"
    )
    memorized = found[models["model"]].dropna().to_numpy(dtype=bool)
    rows = pd.concat([models[["model", "step"]].reset_index(drop=True), over_steps(memorized)], axis=1)
    n_ever, n_last = int(memorized.any(axis=1).sum()), int(memorized[:, -1].sum())
    numbers = {
        "unseen": unseen_by_model(tables, settings),
        "n_paragraphs": len(memorized),
        "n_checkpoints": len(models),
        "first_step": int(rows["step"].iloc[0]),
        "last_step": int(rows["step"].iloc[-1]),
        "n_ever": n_ever,
        "n_last": n_last,
        "half": int(rows.loc[rows["stays_share"] >= 0.5, "step"].iloc[0]) if n_last else None,
        "lost": proportion(n_ever - n_last, n_ever),
    }
    figure, (left, right) = subplots(2.4, ncols=2)
    for axes, share, of in ((left, "fraction", ""), (right, "stays_share", "stays_")):
        look = {"color": COLOURS["memorized"]}
        axes.fill_between(rows["step"], rows[f"{of}low"], rows[f"{of}high"], alpha=0.2, lw=0, **look)
        axes.plot(rows["step"], rows[share], marker="o", ms=3, clip_on=False, **look)
    left.set(ylabel="share memorized", ylim=(0, None))
    right.set(ylabel="memorized from here on", ylim=(-0.02, 1.02))
    for axes in (left, right):  # after the y limits, so that the step axis ends near the last checkpoint
        _step_axis(axes, rows["step"])
    panel_labels((left, right))
    return Drawing(figure, rows, numbers)


def over_steps(memorized: Bool[np.ndarray, "paragraph checkpoint"]) -> pd.DataFrame:
    """A row per checkpoint, with numbers of paragraphs.

    `n_memorized` are memorized at the checkpoint, `n_stays` also at all later ones. `fraction` is the
    memorized share of all paragraphs, `stays_share` is `n_stays` over those that the last checkpoint recites;
    each has an interval.
    """
    stays = np.logical_and.accumulate(memorized[:, ::-1], axis=1)[:, ::-1]
    rows = pd.DataFrame(
        {
            "n_paragraphs": len(memorized),
            "n_memorized": memorized.sum(axis=0),
            "n_stays": stays.sum(axis=0),
        }
    )
    last = pd.Series(rows["n_memorized"].iloc[-1], rows.index)
    share = intervals(rows["n_stays"], last).add_prefix("stays_")
    share = share.rename(columns={"stays_fraction": "stays_share"})
    return rows.join(intervals(rows["n_memorized"], rows["n_paragraphs"])).join(share)


def _step_axis(axes: Axes, steps: pd.Series) -> None:
    """A logarithmic axis of steps, with a place for step 0 before the first other step."""
    after = steps[steps > 0]
    powers = 10.0 ** np.arange(np.ceil(np.log10(after.min())), np.floor(np.log10(after.max())) + 1)
    axes.set_xscale("symlog", linthresh=after.min(), linscale=0.4)
    ticks = powers if len(powers) > 1 else after.iloc[[0, -1]].to_numpy()
    axes.set_xticks([*steps[steps == 0], *ticks])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    axes.set(xlabel="training steps", xlim=(steps.min() - 0.2 * after.min(), None))
