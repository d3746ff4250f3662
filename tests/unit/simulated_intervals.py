"""How often intervals and verdicts are wrong, on samples of what a study holds.

`python tests/unit/simulated_intervals.py` prints the table of docs/methods.md. Samples are drawn with
replacement from the populations of a study (`made_populations.json`), of a lognormal one, and of shares, so
that the true value is known. At a bound that is the true value, every verdict is wrong: exact tests are
judged by how often they reject it, at 5 % and at the level of families of 4 and of 12 claims, as a multiple
of what is promised. Means, which figures show, are judged by the share of their 95 % intervals that hold the
true one.
"""

import numpy as np
from made_populations import read

from memloc.statistics.exact import mean_rank, share
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
    chance = {"share of one half": 0.5, "share of nine tenths": 0.9}.get(kind, 0.5)
    if kind.startswith("share"):
        counts = rng.binomial(n, chance, draws)
    else:
        counts = _above(kind.partition(": ")[2], kind.startswith("pairs"), n, draws, rng)
    tests = [share(count, n) for count in range(n + 1)]
    return _rejected(counts, [(test.above(chance).p, test.below(chance).p) for test in tests])


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


EXACT = ("share of one half", "share of nine tenths", "rank over trainings")
EXACT += tuple(f"{kind}: {name}" for kind in ("median", "pairs") for name in NAMES)
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
