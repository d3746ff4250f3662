"""How often intervals and verdicts are wrong, on samples of what a study holds.

`python tests/unit/simulated_intervals.py` prints the table of docs/methods.md. Samples are drawn with
replacement from the populations of a study (`made_populations.json`), of a lognormal one, and of shares, so
that the true value is known. At a bound that is the true value, every verdict is wrong: exact tests are
judged by how often they reject it, at 5 % and at the level of families of 4 and of 12 claims, as a multiple
of what is promised. Means and shares, which figures show, are judged by how many of their 95 % intervals hold
the true one.
"""

import numpy as np
from made_populations import read

from memloc.statistics import uncertainty
from memloc.statistics.exact import mean_rank, pairings, share
from memloc.statistics.studentised import columns_alone

LEVELS = tuple(0.05 / family for family in (1, 4, 12))
SIZES = (9, 18, 50)
DRAWS = 20_000
SEED = 0
LOGNORMAL = np.random.default_rng(SEED).lognormal(size=9_999)
POPULATIONS = read() | {"lognormal": [LOGNORMAL, 3 * LOGNORMAL]}
NAMES = ("rise per token", "later minus earlier rise", "log gradient", "gradient's lower share", "lognormal")


def exact(kind: str, n: int, draws: int, seed: int = SEED) -> list[float]:
    """Rejections of the true value by a kind of exact test, as a multiple of each level of `LEVELS`."""
    rng = np.random.default_rng(seed)
    if kind == "rank over trainings":
        sums = rng.integers(32, size=(draws, n)).sum(axis=1)
        tests = [
            mean_rank([total // n + (place < total % n) for place in range(n)], 31)
            for total in range(31 * n + 1)
        ]
        return _rejected(sums, [(test.above(0.5).p, test.below(0.5).p) for test in tests])
    if kind.startswith("all pairings"):
        return _rejected(*_paired_all(kind.partition(": ")[2], n, draws, rng))
    chance = {"share of one half": 0.5, "share of nine tenths": 0.9}.get(kind, 0.5)
    if kind.startswith("share"):
        counts = rng.binomial(n, chance, draws)
    else:
        counts = _above(kind.partition(": ")[2], kind.startswith("pairs"), n, draws, rng)
    tests = [share(count, n) for count in range(n + 1)]
    return _rejected(counts, [(test.above(chance).p, test.below(chance).p) for test in tests])


def _paired_all(name: str, n: int, draws: int, rng: np.random.Generator) -> tuple[np.ndarray, list]:
    """The p-values of both sides at the true share of pairings, of n values and of four times as many."""
    first, second = (np.asarray(values) for values in POPULATIONS[name][:2])
    first = first[:: 1 + len(first) // 500]
    truth = float((np.sign(np.subtract.outer(first, second)).mean() + 1) / 2)
    tests = [pairings([(rng.choice(first, n), rng.choice(second, 4 * n))]) for _ in range(draws)]
    return np.arange(draws), [(test.above(truth).p, test.below(truth).p) for test in tests]


def _above(name: str, paired: bool, n: int, draws: int, rng: np.random.Generator) -> np.ndarray:
    """How many of n values, or of differences of random pairs of two groups, lie above the true median."""
    first, second = (np.asarray(values) for values in POPULATIONS[name][:2])
    truth = np.median(np.subtract.outer(first, second)[:: 1 + len(first) // 500] if paired else first)
    drawn = rng.choice(first, (draws, n)) - (rng.choice(second, (draws, n)) if paired else 0)
    return (drawn > truth + 1e-12).sum(axis=1)


def _rejected(found: np.ndarray, p_values: list[tuple[float, float]]) -> list[float]:
    p = 2 * np.min(p_values, axis=1)[found]
    return [float(np.mean(p <= level) / level) for level in LEVELS]


def mean(kind: str, n: int, draws: int, seed: int = SEED) -> float:
    """Share of the intervals of a mean, or of a difference of two groups' means, that hold the true one."""
    rng, name = np.random.default_rng(seed), kind.partition(": ")[2]
    groups = POPULATIONS[name][: 2 if kind.startswith("difference") else 1]
    drawn = [rng.choice(group - np.mean(group), (n, draws)) for group in groups]
    return float(np.mean([found.low <= 0 <= found.high for found in columns_alone(*drawn)]))


def shown(kind: str, n: int, draws: int, seed: int = SEED) -> float:
    """Share of the intervals of a kind of `uncertainty` that hold the true value."""
    rng, (name, _, rest) = np.random.default_rng(seed), kind.partition(": ")
    if name == "share":
        truth = float(rest)
        found = [uncertainty.proportion(int(k), n) for k in rng.binomial(n, truth, draws)]
    else:
        first, second = (rng.choice(group - np.mean(group), (draws, n)) for group in POPULATIONS[rest][:2])
        truth = 0.0
        found = {
            "Student's t": lambda: map(uncertainty.mean, first),
            "Welch's t": lambda: map(uncertainty.difference, first, second),
            "sign flips": lambda: map(uncertainty.paired, first - second),
        }[name]()
    return float(np.mean([one.low <= truth <= one.high for one in found]))


EXACT = ("share of one half", "share of nine tenths", "rank over trainings")
EXACT += tuple(f"{kind}: {name}" for kind in ("median", "pairs", "all pairings") for name in NAMES)
SHOWN = tuple(f"{kind}: {name}" for kind in ("Student's t", "Welch's t", "sign flips") for name in NAMES)
SHOWN += ("share: 0.1", "share: 0.5")
MEANS = tuple(f"{kind}: {name}" for kind in ("mean", "difference") for name in NAMES)


if __name__ == "__main__":
    print(
        "| wrong verdicts, as a multiple of what is promised (5 %, 5 % / 4, 5 % / 12) |",
        *(f"n = {n} |" for n in SIZES),
    )
    print("|---" * (len(SIZES) + 1) + "|")
    for kind in EXACT:
        cells = [", ".join(f"{ratio:.2f}" for ratio in exact(kind, n, DRAWS)) for n in SIZES]
        print(f"| {kind} |", *(f"{cell} |" for cell in cells), flush=True)
    print("| coverage of means in figures |", *(f"n = {n} |" for n in SIZES))
    for kind in MEANS:
        print(f"| {kind} |", *(f"{mean(kind, n, DRAWS):.3f} |" for n in SIZES), flush=True)
    for kind in SHOWN:
        print(f"| {kind} |", *(f"{shown(kind, n, DRAWS // 10):.3f} |" for n in SIZES), flush=True)
