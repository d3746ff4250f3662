"""How often intervals and verdicts are wrong, on samples of what a study holds.

`python tests/unit/simulated_intervals.py` prints the table of docs/methods.md. Samples are drawn with
replacement from the populations of a study (`made_populations.json`), of a lognormal one, and of shares, so
that the true value is known. At a bound that is the true value, every verdict is wrong: exact tests are
judged by how often they reject it, at 5 % and at the level of families of 4 and of 12 claims, as a multiple
of what is promised. What figures show is judged by how many of their 95 % intervals hold the true value.
"""

import numpy as np
from made_populations import read
from scipy.special import ndtri

from memloc.data.alike import N_DRAWS
from memloc.detection.judging import weighted_aurocs
from memloc.statistics.exact import mean_rank, mean_share, share
from memloc.statistics.uncertainty import Interval, jackknifed, mean, proportion, without_each

LEVELS = tuple(0.05 / family for family in (1, 4, 12))
SIZES = (9, 18, 50)
DRAWS = 20_000
FEWEST_GROUPS = 12  # six of each label, without which detection has no AUROC
SEED = 0
LOGNORMAL = np.random.default_rng(SEED).lognormal(size=9_999)
POPULATIONS = read() | {"lognormal": [LOGNORMAL, 3 * LOGNORMAL]}
NAMES = ("rise per token", "later minus earlier rise", "log gradient", "gradient's lower share", "lognormal")


def exact(kind: str, n: int, draws: int, seed: int = SEED) -> list[float]:
    """Rejections of the true value by a kind of exact test, as a multiple of each level of `LEVELS`."""
    rng = np.random.default_rng(seed)
    if kind.startswith("rank"):
        truth = float(kind.partition(": ")[2])
        first = rng.random((draws, n)) < 2 * truth - 1
        sums = np.where(first, 31, rng.integers(32, size=(draws, n))).sum(axis=1)
        tests = [
            mean_rank([total // n + (place < total % n) for place in range(n)], 31)
            for total in range(31 * n + 1)
        ]
        return _rejected(sums, [(test.above(truth).p, test.below(truth).p) for test in tests])
    if kind.startswith("mean share"):
        truth = float(kind.partition(": ")[2])
        found = [mean_share(_draws(truth, n, rng)) for _ in range(draws)]
        return _rejected(np.arange(draws), [(test.above(truth).p, test.below(truth).p) for test in found])
    chance = {"share of one half": 0.5, "share of nine tenths": 0.9}.get(kind, 0.5)
    paired = kind.startswith("pairs")
    if kind.startswith("share"):
        counts = rng.binomial(n, chance, draws)
    else:
        counts = _above(kind.partition(": ")[2], paired, n, draws, rng)
    tests = [share(k / n, n) for k in range(n * n + 1)] if paired else [share(k, n) for k in range(n + 1)]
    return _rejected(counts, [(test.above(chance).p, test.below(chance).p) for test in tests])


def _draws(truth: float, n: int, rng: np.random.Generator) -> np.ndarray:
    """Draws of one of the copies of each of n texts. A text has a rate of its own, and up to 40 copies."""
    copies, rates = rng.integers(1, 41, n), rng.beta(2 * truth, 2 * (1 - truth), n)
    yes = rng.random((40, n)) < rates
    return yes[rng.integers(copies, size=(N_DRAWS, n)), np.arange(n)]


def _above(name: str, paired: bool, n: int, draws: int, rng: np.random.Generator) -> np.ndarray:
    """How many of n values, or of the differences of all pairs of two groups of n, lie above their true
    median."""
    first, second = (np.sort(values) for values in POPULATIONS[name][:2])
    drawn = rng.choice(first, (draws, n))
    if not paired:
        return (drawn > np.median(first) + 1e-12).sum(axis=1)
    step = 1 + len(first) // 500
    truth = np.median(np.subtract.outer(first[step // 2 :: step], second[step // 2 :: step]))
    others = rng.choice(second, (draws, n))
    return sum((drawn - other[:, None] > truth + 1e-12).sum(axis=1) for other in others.T)


def _rejected(found: np.ndarray, p_values: list[tuple[float, float]]) -> list[float]:
    p = 2 * np.min(p_values, axis=1)[found]
    return [float(np.mean(p <= level) / level) for level in LEVELS]


def shown(kind: str, n: int, draws: int, seed: int = SEED) -> float:
    """Share of the intervals of a kind that figures show that hold the true value."""
    rng, (name, _, rest) = np.random.default_rng(seed), kind.partition(": ")
    if name == "share":
        truth, found = float(rest), [proportion(int(k), n) for k in rng.binomial(n, float(rest), draws)]
    elif name in ("AUROC", "gain"):
        truth = float(rest) if name == "AUROC" else 0.0
        found = [_auroc(name, float(rest), max(n, FEWEST_GROUPS), rng) for _ in range(draws)]
    else:
        groups = POPULATIONS[rest][: 2 if name == "difference" else 1]
        truth, drawn = 0.0, [rng.choice(group - np.mean(group), (draws, n)) for group in groups]
        found = [mean(*columns) for columns in zip(*drawn, strict=True)]
    return float(np.mean([one.low <= truth <= one.high for one in found]))


def _auroc(name: str, truth: float, n: int, rng: np.random.Generator) -> Interval:
    """AUROC of scores of one to four rows of each of n groups, half of which are positive, or the gain over
    other scores that are as good. Half of a score's variance is its group's, and half is the other's, too."""
    group = np.repeat(np.arange(n), rng.integers(1, 5, n))
    label, weights = group % 2 == 0, without_each(group)
    weights = np.vstack([np.ones(len(group)), weights])
    parts = (rng.normal(size=(3, n))[:, group] + rng.normal(size=(3, len(group)))) / 2
    scores = [parts[0] + own + np.sqrt(2) * ndtri(truth) * label for own in parts[1:]]
    first, second = (weighted_aurocs(own, label, np.zeros(len(group), int), weights) for own in scores)
    values = first if name == "AUROC" else first - second
    return jackknifed(float(values[0]), values[1:], odds=name == "AUROC")


EXACT = (
    "share of one half",
    "share of nine tenths",
    *(f"mean share of draws: {share}" for share in (0.5, 0.6, 0.9)),
    *(f"rank over trainings: {mean}" for mean in (0.5, 0.6)),
)
EXACT += tuple(f"{kind}: {name}" for kind in ("median", "pairs") for name in NAMES)
SHOWN = tuple(f"{kind}: {name}" for kind in ("mean", "difference") for name in NAMES)
SHOWN += tuple(f"share: {chance}" for chance in (0.1, 0.5))
SHOWN += tuple(f"{kind}: {value}" for kind in ("AUROC", "gain") for value in (0.75, 0.9, 0.98))


if __name__ == "__main__":
    print(
        "| wrong verdicts, as a multiple of what is promised (5 %, 5 % / 4, 5 % / 12) |",
        *(f"n = {n} |" for n in SIZES),
    )
    print("|---" * (len(SIZES) + 1) + "|")
    for kind in EXACT:
        cells = [", ".join(f"{ratio:.2f}" for ratio in exact(kind, n, DRAWS)) for n in SIZES]
        print(f"| {kind} |", *(f"{cell} |" for cell in cells), flush=True)
    print("| how many intervals hold the true value |", *(f"n = {n} |" for n in SIZES))
    for kind in SHOWN:
        print(f"| {kind} |", *(f"{shown(kind, n, DRAWS):.3f} |" for n in SIZES), flush=True)
