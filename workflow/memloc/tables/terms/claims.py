"""Claims: rules, units and verdicts."""

RULES = ("greater", "at least", "equal within")
NEED_MARGIN = ("at least", "equal within")  # without a margin, they always or never hold
UNITS = ("paragraph", "group", "pair", "order")
VERDICTS = ("holds", "does not hold", "undecided", "not applicable", "error")
HOLDS, FAILS, UNDECIDED, NOT_APPLICABLE, ERROR = VERDICTS
NO_VALUE = (NOT_APPLICABLE, ERROR)  # verdicts of claims without a value


def counted(n: int, unit: str) -> str:
    """A number of units, in words."""
    return f"{n:,} {unit if n == 1 else f'{unit}s'}"
