"""Recitation of paragraphs at other positions and after other text (not in the paper)."""

import pandas as pd

from memloc.figures.parts.style import COLOURS, LABELS, MARKERS, Drawing, dots, panel_labels, subplots
from memloc.settings.base import Section
from memloc.statistics.uncertainty import Interval, means, proportions
from memloc.tables.terms.sets import REPEATED

STANDS = {
    "start": "from position 0",
    "bare": "no token before",
    "end_of_text": "after end-of-text",
    "text": "after {n} of other text",
    "shifted": "from position {n}, no text before",
    "half_prefix": "with half of its prefix",
}
GROUPS = LABELS | {REPEATED: "repeated"}
MEASURES = {"recited": "recited", "nll": "NLL (nats per token)"}


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """(a) Share of paragraphs that are recited and (b) mean NLL, by place; 95 % intervals over paragraphs."""
    rows, n_continuation = tables["positions"], settings.paragraph.continuation
    sizes = rows.groupby("group")["id"].nunique()
    groups = [name for name in GROUPS if name in sizes]
    looks = {
        name: (f"{GROUPS[name]} (n = {sizes[name]})", COLOURS[name], marker)
        for name, marker in zip(groups, MARKERS, strict=False)
    }
    data = summary(rows, n_continuation)
    places = data.drop_duplicates(["context", "n_before"])[["context", "n_before"]].reset_index(drop=True)
    labels = {place: _label(*stand) for place, *stand in places.itertuples()}
    figure, axes = subplots(0.9 + 0.25 * len(places), ncols=2, sharey=True)
    for panel, (measure, label) in zip(axes, MEASURES.items(), strict=True):
        own = data[data["measure"] == measure].merge(places.assign(place=places.index))
        dots(panel, own, "place", labels, "group", looks)
        panel.set_xlabel(label)
    panel_labels(axes)
    axes[0].set_xlim(-0.03, 1.03)
    axes[0].xaxis.set_major_formatter("{x:.0%}")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=len(groups))
    return Drawing(figure, data, _numbers(rows, data))


def summary(rows: pd.DataFrame, n_continuation: int) -> pd.DataFrame:
    """Share recited (by the first text that is drawn) and mean NLL by group and place, with intervals."""
    keys = ["group", "context", "n_before"]
    first = rows[rows["draw"] == 0]
    shares = (first["em"] == n_continuation).groupby([first[key] for key in keys], sort=False)
    nll = rows.groupby([*keys, "id"], sort=False)["nll"].mean().groupby(keys, sort=False)
    found = {"recited": proportions(shares), "nll": means(nll).clip(lower=0)}
    return pd.concat([frame.assign(measure=name) for name, frame in found.items()]).reset_index()


def _label(context: str, n_before: int) -> str:
    tokens = "token" if n_before == 1 else "tokens"
    return STANDS[context].format(n=n_before if context == "shifted" else f"{n_before} {tokens}")


def _numbers(rows: pd.DataFrame, data: pd.DataFrame) -> dict:
    """Of memorized paragraphs, where they stand first in the figure, and where the fewest are recited."""
    recited = data[(data["group"] == "memorized") & (data["measure"] == "recited")]
    ordered = {"first": recited.iloc[0], "least": recited.sort_values("value", kind="stable").iloc[0]}
    said = {
        name: {
            "where": _label(row["context"], row["n_before"]),
            "share": Interval(*row[[*Interval._fields]]),
            "n": int(row["n"]),
        }
        for name, row in ordered.items()
    }
    return said | {"repeated": bool((rows["group"] == REPEATED).any())}
