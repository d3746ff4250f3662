"""Least likely tokens of a continuation: do they separate memorized paragraphs (not in the paper)?"""

import math
from typing import Any

import numpy as np
import pandas as pd

from memloc.figures.parts.style import COLOURS, TEXT_LABELS, Drawing, panel_label, subplots
from memloc.settings.base import Section
from memloc.settings.detection import MIN_K_PERCENT
from memloc.statistics import uncertainty
from memloc.tables.terms.sets import UNSEEN

MEMORIZED = ("memorized", "corpus")
JITTER = 0.25


def draw(tables: dict[str, pd.DataFrame], _settings: Section) -> Drawing:
    """Mean log-probability (nats per token) of the least likely and of all tokens, a dot per paragraph."""
    data = paragraph_scores(tables["token_statistics"])
    groups = [group for group in TEXT_LABELS if _rows(data, group).any()]
    figure, axes = subplots(5.8, 0.7 + 0.42 * len(groups), ncols=2, sharex=True, sharey=True)
    titles = {"min_k": f"{MIN_K_PERCENT} % least likely tokens", "mean": "all tokens of the continuation"}
    random = np.random.default_rng(0)
    for panel, (column, title), letter in zip(axes, titles.items(), "ab", strict=True):
        for place, group in enumerate(groups):
            values = data.loc[_rows(data, group), column]
            jitter = random.uniform(-JITTER, JITTER, len(values))
            panel.scatter(values, place + jitter, s=5, alpha=0.5, linewidths=0, color=COLOURS[group[0]])
            panel.plot([values.median()] * 2, [place - 0.38, place + 0.38], color="black", lw=1.2)
        panel.set(title=title, xlabel="mean log-probability (nats per token)")
        panel.tick_params(axis="y", length=0)
        panel_label(panel, letter)
    axes[0].set_yticks(range(len(groups)), [TEXT_LABELS[group] for group in groups])
    axes[0].set_ylim(len(groups) - 0.5, -0.5)
    return Drawing(figure, data, _numbers(data, groups))


def paragraph_scores(token_statistics: pd.DataFrame) -> pd.DataFrame:
    """One row per text: set, continuation, id, min_k and mean, both in nats per token.

    min_k is the mean log-probability of the MIN_K_PERCENT % least likely tokens, rounded up.
    """
    by_text = token_statistics.groupby(["set", "continuation", "id"])["nll"]

    def least_likely(nll: pd.Series) -> float:
        return -nll.nlargest(math.ceil(len(nll) * MIN_K_PERCENT / 100)).mean()

    return pd.DataFrame({"min_k": by_text.agg(least_likely), "mean": -by_text.mean()}).reset_index()


def _rows(data: pd.DataFrame, group: tuple[str, str]) -> pd.Series:
    return (data["set"] == group[0]) & (data["continuation"] == group[1])


def _numbers(data: pd.DataFrame, groups: list[tuple[str, str]]) -> dict[str, Any]:
    memorized = data[_rows(data, MEMORIZED)]
    separation = {}
    for group in groups:
        others = data[_rows(data, group)]
        if group != MEMORIZED:
            name = UNSEEN if group[0] == UNSEEN else group[1]
            separation[name] = {
                column: uncertainty.auroc(memorized[column], others[column]) for column in ("min_k", "mean")
            } | {"n": len(others), "median": float(others["min_k"].median())}
    return {
        "percent": MIN_K_PERCENT,
        "n_memorized": len(memorized),
        "median": float(memorized["min_k"].median()),
        "separation": separation,
    }
