"""Claims: rules, units and verdicts."""

import math
from collections.abc import Mapping

RULES = ("greater", "at least")
UNITS = ("paragraph", "part", "pair", "training", "layer")
VERDICTS = ("holds", "does not hold", "no difference that matters", "too few", "not applicable", "error")
HOLDS, FAILS, NO_DIFFERENCE, TOO_FEW, NOT_APPLICABLE, ERROR = VERDICTS
DECIDED = (HOLDS, FAILS, NO_DIFFERENCE)
SAID = {  # of one claim, and of several
    HOLDS: ("holds", "hold"),
    FAILS: ("does not hold", "do not hold"),
    NO_DIFFERENCE: ("shows no difference that matters", "show no difference that matters"),
    TOO_FEW: ("rests on too few data", "rest on too few data"),
    ERROR: ("could not be judged", "could not be judged"),
    NOT_APPLICABLE: ("cannot be tested in this run",) * 2,
}
NO_VALUE = (NOT_APPLICABLE, ERROR)  # verdicts of claims without a value
PER_CENT = "%"  # scale of shares, which tables hold as numbers from 0 to 1


def outcomes(verdicts: Mapping[str, str]) -> str:
    """How many claims (by id) have each verdict, in words, and which do not hold."""
    found = {verdict: [id for id, own in verdicts.items() if own == verdict] for verdict in SAID}
    held = f"{len(found.pop(HOLDS))} of {len(verdicts)} by Stoehr and others (2024), later work and us"
    failed = ", ".join(f"“{id.replace('_', ' ')}”" for id in found[FAILS])
    said = [
        f"{len(ids)} {SAID[own][len(ids) > 1]}{f' ({failed})' * (own == FAILS)}"
        for own, ids in found.items()
        if ids
    ]
    return f"{'. '.join([held, ', '.join(said)] if said else [held])}."


def counted(n: int, unit: str) -> str:
    """A number of units, in words."""
    return f"{n:,} {unit if n == 1 else f'{unit}s'}"


def on_scale(value: float, scale: str) -> str:
    """A bound in the unit of its value: `60 %`, `0.1 nats per token`."""
    return f"{100 * value:g} %" if scale == PER_CENT else f"{value:g} {scale}"


def measured(value: float, low: float, high: float, scale: str, quantity: str) -> str:
    """A claim's value and quantity, with its interval if there is one; shares are in per cent."""
    if scale == PER_CENT:
        value, low, high = (100 * number for number in (value, low, high))
    interval = f" ({low:.3g} to {high:.3g})" if math.isfinite(low) and math.isfinite(high) else ""
    return f"{value:.4g}{interval} {scale} {quantity}"
