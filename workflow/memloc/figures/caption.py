"""Captions: templates whose numbers come from the run."""

import math
import re
from typing import Any

import jinja2
import pandas as pd

from memloc.claims.statistics import Interval
from memloc.claims.terms import NOT_APPLICABLE, counted


def fill(template: str, numbers: dict[str, Any]) -> str:
    """`template` (reStructuredText with Jinja expressions) with the numbers filled in.

    The filter `quoted` is for text of the run, such as tokens: whatever it holds is shown and is no markup.
    The filter `interval` writes an `Interval` with a given number of decimals.

    Raises:
        jinja2.UndefinedError: the template names a number that the figure does not give.
    """
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, keep_trailing_newline=True)
    environment.filters |= {"quoted": quoted, "interval": interval}
    return environment.from_string(template).render(numbers)


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
    interval = "" if pd.isna(claim.low) or pd.isna(claim.high) else f" ({claim.low:.3g} to {claim.high:.3g})"
    published = "" if pd.isna(claim.published) else f", published {claim.published:,g}"
    return (
        f"* {escaped(claim.statement)} ({claim.work}, {escaped(claim.section)}) **{claim.verdict}**: "
        f"{claim.value:.4g}{interval} {escaped(claim.quantity)}, "
        f"n = {counted(claim.n, claim.unit)}{published}; {escaped(claim.reason)}."
    )


def interval(found: Interval, decimals: int) -> str:
    """A value with its interval, or with the number of units where they are too few for one."""
    value, low, high = (f"{number:.{decimals}f}" for number in found[:3])
    return f"{value} ({low} to {high})" if math.isfinite(found.low) else f"{value} (n = {found.n})"


def quoted(text: str) -> str:
    """`text` in quotation marks, escaped."""
    return f"\u201c{escaped(text)}\u201d"


def escaped(text: str) -> str:
    """`text` with everything escaped that reStructuredText could take for markup."""
    return re.sub(r"([^\s0-9A-Za-z.,;()])", r"\\\1", text)
