"""Run every comparison, and say on which machine."""

import os
import platform
import re
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
from jaxtyping import Int
from torch import Tensor

from memloc.bench import gradient_stages, measure, stages
from memloc.bench.measure import BenchError, Measured
from memloc.bench.subject import Bench, Comparison

RUNS: dict[str, Callable[[Bench, Tensor], Comparison]] = {
    "scoring": stages.scores,
    "perturbation": stages.perturbations,
    "patching": partial(stages.patching_of_every_head, exact=True),
    "attribution_patching": partial(stages.patching_of_every_head, exact=False),
    "parameter_gradients": gradient_stages.parameter_gradients,
    "editing_step": gradient_stages.sparse_editing,
    "planting_step": gradient_stages.planting,
}
"""The comparisons of `COMPARISONS` (settings/running.py)."""
# Largest differences that are allowed, relative to the largest value. First-order patching is compared with a
# finite difference.
TOLERANCE = {"attribution_patching": 0.05, "editing_step": 0.02, "planting_step": 0.02}
ROUNDING = 1e-3


def compare(
    bench: Bench, names: Iterable[str], own: Int[Tensor, "paragraph token"], report: Callable[[str], None]
) -> pd.DataFrame:
    """Rows of the table `bench`: the stages of some comparisons.

    Raises:
        BenchError: a side failed, or the results of the two sides differ.
    """
    rows = []
    for comparison in (RUNS[name](bench, own) for name in names):
        sides = {stage: each.prepare for stage, each in comparison.stages.items()}
        found = measure.take_turns({**sides, "plain": comparison.plain}, bench.sizes.repeats)
        for stage in comparison.stages:
            rows.append(_row(comparison, stage, found))
            report(
                "{stage}: {seconds_fast:.2f} s, straightforwardly {seconds_plain:.2f} s".format(**rows[-1])
            )
    return pd.DataFrame(rows)


def _row(comparison: Comparison, name: str, found: dict[str, Measured]) -> dict[str, Any]:
    stage, fast, plain = comparison.stages[name], found[name], found["plain"]
    difference = measure.difference(fast.results, plain.results, comparison.chosen)
    tolerance = TOLERANCE.get(name, ROUNDING)
    if not difference <= tolerance:
        raise BenchError(f"{name}: results differ by {difference:.2g}, more than {tolerance:.2g}")
    return {
        "stage": name,
        "item": comparison.item,
        "n_items_fast": stage.n_items,
        "n_items_plain": comparison.n_plain,
        "seconds_fast": fast.seconds,
        "seconds_plain": plain.seconds,
        "ratio": plain.seconds / comparison.n_plain / (fast.seconds / stage.n_items),
        "memory_fast": fast.memory_mb,
        "memory_plain": plain.memory_mb,
        "difference": difference,
    }


def machine() -> dict[str, Any]:
    """The processor, its cores, and the memory of this machine."""
    description = Path("/proc/cpuinfo")
    names = re.findall(r"model name\s*: (.+)", description.read_text()) if description.exists() else []
    return {
        "processor": names[0] if names else platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "system": f"{platform.system()} {platform.machine()}",
    }
