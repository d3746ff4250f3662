"""Run every comparison, and say on which machine."""

import os
import platform
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Int
from torch import Tensor

from memloc.bench import gradient_stages, measure, stages
from memloc.bench.measure import BenchError, Measured, Results
from memloc.bench.subject import Bench, Comparison, own_texts
from memloc.resources.machine import peak_rate

RUNS: dict[str, Callable[[Bench, Tensor], Comparison]] = {
    "scoring": stages.scores,
    "windows": stages.windows,
    "continuation": stages.continuations,
    "perturbation": stages.perturbations,
    "patching": stages.exact_patching,
    "attribution_patching": stages.first_order_patching,
    "parameter_gradients": gradient_stages.parameter_gradients,
    "editing_step": gradient_stages.sparse_editing,
    "planting_step": gradient_stages.planting,
}
"""What `settings.bench.COMPARISONS` names."""
# Relative to the largest value. First-order patching is held against a finite difference.
TOLERANCE = {"attribution_patching": 0.05, "editing_step": 0.02, "planting_step": 0.02}
ROUNDING = 1e-3


def texts(bench: Bench) -> pd.DataFrame:
    """The table `bench_texts`: random prefixes with the model's own greedy continuations."""
    return pd.DataFrame({"tokens": list(measure.once("texts", own_texts(bench))["tokens"])})


def compare(
    bench: Bench, names: Iterable[str], own: Int[Tensor, "paragraph token"], report: Callable[[str], None]
) -> pd.DataFrame:
    """Rows of the table `bench`: the stages of some comparisons.

    Raises:
        BenchError: a side failed, or its results are not those of the other side.
    """
    peak, rows = measure.once("peak", _peak)["float32"].item(), []
    for comparison in (RUNS[name](bench, own) for name in names):
        sides = {stage: each.prepare for stage, each in comparison.stages.items()}
        found = measure.take_turns({**sides, "plain": comparison.plain}, bench.sizes.repeats)
        for stage in comparison.stages:
            rows.append(_row(comparison, stage, found, peak))
            report(
                "{stage}: {seconds_fast:.2f} s, straightforwardly {seconds_plain:.2f} s".format(**rows[-1])
            )
    return pd.DataFrame(rows)


def _row(comparison: Comparison, name: str, found: dict[str, Measured], peak: float) -> dict[str, Any]:
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
        "gflop": fast.gflop,
        "peak_rate": peak,
        "peak_share": fast.gflop / fast.seconds / peak,
        "memory_fast": fast.memory_mb,
        "memory_plain": plain.memory_mb,
        "difference": difference,
    }


def _peak() -> Callable[[], Results]:
    return lambda: {"float32": np.array(peak_rate())}


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
