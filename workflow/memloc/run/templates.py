"""Text templates with numbers of the run: captions and the model's card."""

import math
import re
from typing import Any

import jinja2

from memloc.statistics.uncertainty import Interval


def fill(template: str, numbers: dict[str, Any]) -> str:
    """`template` (reStructuredText with Jinja expressions) with the numbers filled in.

    The filter `quoted` is for text of the run, such as tokens: it is shown to the letter, not as markup. The
    filters `interval` and `percent` write an `Interval`, with a given number of decimals.

    Raises:
        jinja2.UndefinedError: the template names a number that the figure does not give.
    """
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, keep_trailing_newline=True)
    environment.filters |= {"quoted": quoted, "interval": interval, "percent": percent}
    return environment.from_string(template).render(numbers)


def interval(found: Interval, decimals: int) -> str:
    """A value with its interval, or with the number of units if they are too few for an interval."""
    value, low, high = (_rounded(number, decimals) for number in found[:3])
    return f"{value} ({low} to {high})" if math.isfinite(found.low) else f"{value} (n = {found.n})"


def _rounded(number: float, decimals: int) -> str:
    """The number with its decimals, or with one more if these are zeros: its sign may matter."""
    for more in (decimals, decimals + 1):
        if rounded := round(number, more):
            return f"{rounded:,.{more}f}"
    return f"{0:.{decimals}f}"


def percent(found: Interval | float, decimals: int = 0) -> str:
    """A share, or one with its interval, in per cent."""
    if isinstance(found, Interval):
        return f"{interval(Interval(*(100 * number for number in found[:3]), found.n), decimals)} %"
    return f"{100 * found:.{decimals}f} %"


def quoted(text: str) -> str:
    """`text` in quotation marks, escaped."""
    return f"\u201c{escaped(text)}\u201d"


def escaped(text: str) -> str:
    """`text` with everything escaped that reStructuredText could take for markup."""
    return re.sub(r"([^\s0-9A-Za-z.,;()/%-])", r"\\\1", text)
