"""Estimators of the topic `extraction`: what comes out under sampling (2410.19482), by the first scheme."""

import pandas as pd

from memloc.claims.verdicts import Estimate
from memloc.data.exposure import exposure
from memloc.data.sets import without_controls
from memloc.scoring.sampling import extractable
from memloc.settings.base import Section
from memloc.statistics.studentised import share
from memloc.statistics.uncertainty import proportion_difference
from memloc.tables.terms.sets import UNSEEN


def missed_by_greedy(
    tables: dict[str, pd.DataFrame], settings: Section, n_draws: int, confidence: float
) -> Estimate:
    """Of the seen paragraphs that come out in one of two ways only, the share that n draws give.

    The other way is greedy decoding, which gives the others. The share is one half where neither gives more.
    """
    seen = _paragraphs(tables, n_draws, confidence)
    seen = without_controls(seen)
    greedy = seen["em"] == settings.paragraph.continuation
    more, less = int((seen["out"] & ~greedy).sum()), int((greedy & ~seen["out"]).sum())
    if more + less == 0:
        return Estimate(missing="both ways give the same paragraphs")
    return Estimate.of(share(more, more + less))


def more_than_unseen(
    tables: dict[str, pd.DataFrame], settings: Section, n_draws: int, confidence: float
) -> Estimate:
    """Share of repeated paragraphs that n draws give with the confidence, minus that of unseen ones."""
    data = _paragraphs(tables, n_draws, confidence)
    unseen = data["set"] == UNSEEN
    if not unseen.any():
        return Estimate(missing="no paragraph is known to be unseen")
    repeated = ~unseen & (exposure(data) > 1)
    shares = [share(int(data.loc[rows, "out"].sum()), int(rows.sum())) for rows in (repeated, unseen)]
    return Estimate.of(proportion_difference(*shares), int(unseen.sum()))


def _paragraphs(tables: dict[str, pd.DataFrame], n_draws: int, confidence: float) -> pd.DataFrame:
    """A row per paragraph of `sets`: its counts, exact match, and whether the draws give it (`out`)."""
    chances = tables["extraction"]
    chances = chances[chances["scheme"] == chances["scheme"].iloc[0]]
    data = tables["sets"].merge(tables["scores"], on="id").merge(tables["paragraphs"], on="id")
    data = data.merge(chances, on="id")
    return data.assign(out=extractable(data["log_p"].to_numpy(), n_draws, confidence))
