"""Captions: templates whose numbers come from the run."""

from typing import Any

import pandas as pd

from memloc.run.templates import escaped, measured
from memloc.tables.terms.claims import NOT_APPLICABLE, counted


def verdicts(claims: pd.DataFrame) -> str:
    """The verdicts that a caption ends with, one list item a claim; none for claims that do not apply.

    `claims` has the columns of table `claims`.
    """
    shown = claims[claims["verdict"] != NOT_APPLICABLE]
    if shown.empty:
        return ""
    items = "\n".join(_verdict(row) for row in shown.itertuples())
    return f"\nWhat is claimed, and what this run says (intervals: 95 %):\n\n{items}\n"


def _verdict(claim: Any) -> str:
    published = "" if pd.isna(claim.published) else f", published {claim.published:,g}"
    return (
        f"* {escaped(claim.statement)} ({claim.work}, {escaped(claim.section)}) **{claim.verdict}**: "
        f"{measured(claim.value, claim.low, claim.high)} {escaped(claim.quantity)}, "
        f"n = {counted(claim.n, claim.unit)}{published}; {escaped(claim.reason)}."
    )
