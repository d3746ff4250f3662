"""Estimators of the topic `extraction`: which paragraphs come out under the first scheme (2410.19482)?"""

from memloc.claims.verdicts import Estimate, NotApplicable, Tables
from memloc.scoring.sampling import extractable
from memloc.settings.base import Section
from memloc.statistics.studentised import share
from memloc.statistics.uncertainty import proportion_difference
from memloc.tables.terms.sets import UNSEEN


def seen_come_out_more_than_unseen(
    tables: Tables, settings: Section, n_draws: int, confidence: float
) -> Estimate:
    """Share of paragraphs that n draws give with this confidence, repeated minus unseen ones."""
    chances = tables["extraction"]
    chances = chances[chances["scheme"] == chances["scheme"].iloc[0]]
    data = tables["sets"].merge(tables["paragraphs"], on="id").merge(chances, on="id")
    out = extractable(data["log_p"].to_numpy(), n_draws, confidence)
    unseen = data["set"] == UNSEEN
    if not unseen.any():
        raise NotApplicable("no paragraph is known to be unseen")
    repeated = ~unseen & (data["count"] > 1)
    often, never = (share(int(out[rows].sum()), int(rows.sum())) for rows in (repeated, unseen))
    return Estimate.of(proportion_difference(often, never)._replace(n=often.n), never.n)
