"""Coverage and power of the intervals that verdicts rest on, on samples of what a study holds.

`python tests/unit/simulated_intervals.py` prints the table of docs/methods.md, in some minutes. Samples are
drawn from the populations of study `mini` with replacement, so that the true value is known. Coverage is the
share of the intervals that hold it; power is the share that lies above 0 where the true value is one standard
deviation of a unit above it.
"""

from collections.abc import Callable
from functools import partial

import numpy as np
from made_populations import read

from memloc.statistics.studentised import (
    among,
    extreme,
    given,
    lead,
    lead_of_resamples,
    share,
    simultaneous,
    studentised,
    two_way,
)
from memloc.statistics.uncertainty import Interval, proportion_difference

POPULATIONS = read()
Found = tuple[list[Interval], list[float]]  # intervals, and the values that they should hold all together


def mean(name: str, n: int, rng: np.random.Generator, shift: float) -> Found:
    values = POPULATIONS[name][0]
    drawn = rng.choice(values - values.mean(), n) + shift * values.std()
    return [studentised(drawn)], [shift * values.std()]


def difference(name: str, n: int, rng: np.random.Generator, shift: float) -> Found:
    """Of memorized and non-memorized paragraphs, whose spreads may be far apart."""
    first, second = (values - values.mean() for values in POPULATIONS[name])
    size = shift * np.hypot(first.std(), second.std()) / np.sqrt(2)
    return [studentised(rng.choice(first, n) + size, rng.choice(second, n))], [size]


def heads(name: str, n: int, rng: np.random.Generator, shift: float, copies: int = 1) -> Found:
    """One of the heads is shifted, and all intervals hold together; copies vary by themselves."""
    groups = [np.tile(np.array(columns).T, copies) for columns in POPULATIONS[name]]
    groups = [rng.permuted(group, axis=0) if copies > 1 else group for group in groups]
    groups = [group - group.mean(axis=0) for group in groups]
    size = np.zeros(groups[0].shape[1])
    size[0] = shift * np.hypot(*(group[:, 0].std() for group in groups)) / np.sqrt(2)
    drawn = [group[rng.integers(len(group), size=n)] for group in groups]
    return simultaneous(drawn[0] + size, drawn[1]), list(size)


def largest(name: str, n: int, rng: np.random.Generator, shift: float) -> Found:
    """Of these heads' means; without a shift all are 0."""
    found, sizes = heads(name, n, rng, shift)
    return [extreme(max, found)], [max(sizes)]


def equal(name: str, n: int, rng: np.random.Generator, shift: float) -> Found:
    """Pairs of equal covariate; where these differ, their differences follow a line."""
    values, covariate = POPULATIONS[name]
    slope, intercept = np.polyfit(covariate, values, 1)
    size, drawn = shift * (values - slope * covariate).std(), rng.integers(len(values), size=n)
    return [given(values[drawn] - intercept + size, covariate[drawn])], [size]


def leads(name: str, n: int, rng: np.random.Generator, shift: float) -> Found:
    """Four layers whose shares have one mean: no one leads, unless the first is shifted."""
    layers = np.array(POPULATIONS[name]).T
    layers = layers - layers.mean(axis=0)
    size = shift * layers[:, 0].std()
    found = lead(layers[rng.integers(len(layers), size=n)] + [size, 0, 0, 0])
    return [found], [size if shift else min(found.high, 0.0)]


def draws(name: str, n: int, rng: np.random.Generator, shift: float) -> Found:
    """As many draws as the study has."""
    groups = [np.array(columns).T for columns in POPULATIONS[name]]
    truth = groups[0].mean() - groups[1].mean()
    size = shift * np.hypot(*(group.mean(axis=1).std() for group in groups)) / np.sqrt(2)
    chosen = rng.integers(groups[0].shape[1], size=groups[0].shape[1])
    drawn = [group[rng.integers(len(group), size=n)][:, chosen] for group in groups]
    return [two_way(drawn[0] - truth + size, drawn[1])], [size]


def orders(name: str, n: int, rng: np.random.Generator, shift: float) -> Found:
    """One order among n random ones; at no shift it is one of them."""
    values = rng.choice(POPULATIONS[name][0], n + 1) + 1e-9 * rng.normal(size=n + 1)
    size = shift * POPULATIONS[name][0].std()
    found = among(values[0] + 3 * size, values[1:])
    return [found], [3 * size if shift else 0.0]


def resampled_lead(name: str, n: int, rng: np.random.Generator, shift: float) -> Found:
    """Scores of four candidates are means over n units, drawn again and again; none leads unless shifted."""
    units = np.array(POPULATIONS[name]).T
    units = units - units.mean(axis=0)
    drawn = units[rng.integers(len(units), size=n)] + [shift * units[:, 0].std(), 0, 0, 0]
    resamples = rng.multinomial(n, np.full(n, 1 / n), size=400) @ drawn / n
    found = lead_of_resamples(drawn.mean(axis=0), resamples, n)
    return [found], [shift * units[:, 0].std() if shift else min(found.high, 0.0)]


def one_share(name: str, n: int, rng: np.random.Generator, shift: float) -> Found:
    """A share of 0.25 or, shifted, one of which the claim of more than half is true by 0.4."""
    true = 0.9 if shift else 0.25
    found = share(int(rng.binomial(n, true)), n)
    minus = 0.5 if shift else 0.0
    return [Interval(found.value - minus, found.low - minus, found.high - minus, n)], [true - minus]


def two_shares(name: str, n: int, rng: np.random.Generator, shift: float) -> Found:
    """0.9 of one group, and 0.1 of the other or, without a shift, as many."""
    true = (0.9, 0.1) if shift else (0.5, 0.5)
    found = [share(int(rng.binomial(n, value)), n) for value in true]
    return [proportion_difference(*found)], [true[0] - true[1]]


KINDS: dict[str, tuple[Callable, str]] = {
    "mean: later minus earlier rise": (mean, "later minus earlier rise"),
    "difference: rise per token": (difference, "rise per token"),
    "difference: log gradient": (difference, "log gradient"),
    "difference: gradient's lower share": (difference, "gradient's lower share"),
    "12 heads together (max-T)": (heads, "heads"),
    "264 heads together (max-T)": (partial(heads, copies=22), "heads"),
    "largest of 12 heads (max-T)": (largest, "heads"),
    "pairs at an equal NLL (HC3)": (equal, "pairs' log gradient and NLL"),
    "lead of one of four layers": (leads, "layers' shares"),
    "lead over resamples": (resampled_lead, "layers' shares"),
    "units and draws (two-way)": (draws, "draws"),
    "share (exact)": (one_share, ""),
    "difference of shares": (two_shares, ""),
    "place among orders": (orders, "log gradient"),
}
SIZES = (8, 12, 25, 50)
REPEATS = 2_000


def simulated(kind: str, n: int, repeats: int, seed: int = 0) -> tuple[float, float]:
    """Coverage and power."""
    draw, name = KINDS[kind]
    rng = np.random.default_rng(seed)
    draws = (zip(*draw(name, n, rng, 0.0), strict=True) for _ in range(repeats))
    covered = [all(i.low <= true <= i.high for i, true in drawn) for drawn in draws]
    power = [draw(name, n, rng, 1.0)[0][0].low > 0 for _ in range(repeats)]
    return float(np.mean(covered)), float(np.mean(power))


if __name__ == "__main__":
    print(
        "| interval | " + " | ".join(f"n = {n}" for n in SIZES) + " |\n|---" * 1 + "|---" * len(SIZES) + "|"
    )
    for kind in KINDS:
        cells = [simulated(kind, 39 if kind == "place among orders" else n, REPEATS) for n in SIZES]
        print(f"| {kind} | " + " | ".join(f"{a:.2f}/{b:.2f}" for a, b in cells) + " |", flush=True)
