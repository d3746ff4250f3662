"""Ways to remove in figure and explorer: their names, and every judge's value with its interval."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes

from memloc.settings.removal_ways import NOTHING, RETRAINED, WAY_NAMES
from memloc.statistics.uncertainty import means, proportions

LINEAR = 0.1  # nats: the axis of NLLs is linear below, logarithmic above
MODES = {"joint": "together", "single": "alone"}
KEYS = ["way", "mode"]
SHARES = ("edit_distance", "recited_perturbed")  # from 0 to 1
LOST = ("forgotten", "em_other_lost", "em_own_lost")  # tokens of recited texts: from 0 to all
YES_OR_NO = ("recited", "recited_4bit")  # 0 or 1 for every unit


def finish_panel(panel: Axes, name: str, unit: str, n_tokens: int) -> None:
    """Label the axis of a panel. It holds all tokens or shares; one of nats is logarithmic, and linear close
    to 0."""
    panel.set_xlabel(f"{name}\n({unit}{f', log from {LINEAR:g}' * (unit == 'nats')})", fontsize=6)
    panel.locator_params(axis="x", nbins=3)
    if unit == "nats":
        panel.set_xscale("symlog", linthresh=LINEAR, linscale=0.6)
        low, high = panel.get_xlim()
        ticks = [tick for tick in (-1, 0, LINEAR, 1, 10) if low <= tick <= high]
        panel.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        panel.minorticks_off()
    else:
        most = n_tokens if unit == "tokens" else 1
        panel.set_xlim(-0.07 * most, 1.07 * most)


def ways_of(rows: pd.DataFrame) -> list[str]:
    """Ways that have rows, in the order of their names, without the model as it is."""
    return [way for way in WAY_NAMES if way in set(rows["way"])]


def judged_ways(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Every judge's mean with its interval (value, low, high, n), by way, mode and measure.

    The unit is the removed paragraph. For the damage of removing together, it is the judging text.
    """
    n_tokens = tables["removal"]["em"].max()  # of the continuation: all were recited before
    most = dict.fromkeys(SHARES, 1.0) | dict.fromkeys(LOST, float(n_tokens))
    frames = []
    for measure, units in units_of(tables).items():
        groups = units.groupby(KEYS, sort=False)["value"]
        summary = proportions if measure in YES_OR_NO else means
        rows = summary(groups).reset_index().assign(measure=measure)
        if measure in most:  # an interval may go beyond what is possible
            rows[["low", "high"]] = rows[["low", "high"]].clip(0, most[measure])
        frames.append(rows)
    return pd.concat(frames, ignore_index=True)


def units_of(tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Values by way, mode and unit, of every measure."""
    rows, damage = tables["removal"], _damage(tables["removal_damage"])
    removed, never = _removed(rows), rows[rows["way"] == RETRAINED].set_index("id")["nll"]
    if len(never):
        # A larger NLL than in the model that never saw the paragraph is damage, a smaller one is memory.
        removed["nll_distance"] = (rows["nll"] - rows["id"].map(never)).abs()
    measures = [name for name in removed if name not in (*KEYS, "unit")]
    units = {name: removed[[*KEYS, "unit", name]].rename(columns={name: "value"}) for name in measures}
    for measure, group, column in (
        ("em_other_lost", "memorized", "lost"),
        ("em_own_lost", "non_memorized", "lost"),
        ("nll_gained", "held_out", "gained"),
    ):
        rows = damage[damage["group"] == group]
        units[measure] = rows.groupby([*KEYS, "unit"])[column].mean().rename("value").reset_index()
    return units


def _removed(removal: pd.DataFrame) -> pd.DataFrame:
    """Losses of each removed paragraph; `relearning` is missing for those that did not come back."""
    before = removal["id"].map(removal[removal["way"] == NOTHING].set_index("id")["em"])
    return pd.DataFrame(
        {
            **removal[KEYS],
            "unit": removal["id"],
            "forgotten": before - removal["em"],
            "recited": (removal["em"] == before).astype(float),
            "recited_4bit": (removal["em_4bit"] == before).astype(float),
            **removal[["edit_distance", "recited_perturbed"]],
            "relearning": removal["relearning_steps"].astype(float),
        }
    )


def _damage(damage: pd.DataFrame) -> pd.DataFrame:
    """Tokens that each judging text loses, nats per token that it gains, and the `unit` that is resampled."""
    before = damage[damage["way"] == NOTHING].set_index(["group", "id"])[["em", "nll"]]
    rows = damage.join(before.add_suffix("_before"), on=["group", "id"])
    rows = rows.assign(unit=rows["removed"].fillna(rows["id"]))
    return rows.assign(lost=rows["em_before"] - rows["em"], gained=rows["nll"] - rows["nll_before"])
