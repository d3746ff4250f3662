"""Claims: rules, units and verdicts."""

from collections import Counter
from collections.abc import Sequence

RULES = ("greater", "at least", "equal within")
NEED_MARGIN = ("at least", "equal within")  # without a margin, they always or never hold
UNITS = ("paragraph", "group", "pair", "order")
VERDICTS = ("holds", "does not hold", "undecided", "not applicable", "error")
HOLDS, FAILS, UNDECIDED, NOT_APPLICABLE, ERROR = VERDICTS
PLURAL = {HOLDS: "hold", FAILS: "do not hold"}
NO_VALUE = (NOT_APPLICABLE, ERROR)  # verdicts of claims without a value


def outcomes(verdicts: Sequence[str]) -> str:
    """How many claims have each verdict, in words."""
    found = Counter(verdicts)
    said = [
        f"{found[name]} {name if found[name] == 1 else PLURAL.get(name, name)}"
        for name in VERDICTS
        if found[name]
    ]
    return f"Of {counted(len(verdicts), 'claim')}: {', '.join(said)}."


def counted(n: int, unit: str) -> str:
    """A number of units, in words."""
    return f"{n:,} {unit if n == 1 else f'{unit}s'}"
