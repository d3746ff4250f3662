"""Claims: rules, units and verdicts."""

RULES = ("greater", "at least", "equal within")
NEED_MARGIN = ("at least", "equal within")  # without a margin, they always or never hold
UNITS = ("paragraph", "group", "pair", "plant", "order")
VERDICTS = ("holds", "does not hold", "undecided", "not applicable")
HOLDS, FAILS, UNDECIDED, NOT_APPLICABLE = VERDICTS
SCALES = {"nats": "nats", "log": "log ratio", "ranks": "ranks", "places": "places"}  # by first word
SHARE = "share or score"  # every other quantity is at most one


def counted(n: int, unit: str) -> str:
    """A number of units, in words."""
    return f"{n:,} {unit if n == 1 else f'{unit}s'}"


def scale_of(quantity: str) -> str:
    """The kind of a quantity of the registry: values of one kind can be drawn on one scale."""
    return SCALES.get(quantity.split()[0], SHARE)
