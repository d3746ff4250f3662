"""Run every comparison, and the growth of scoring with the number of paragraphs."""

import os
import platform
import re
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from jaxtyping import Int
from torch import Tensor

from memloc.bench import editing_run, gradient_stages, measure, stages
from memloc.bench.measure import BenchError, Measured, Results
from memloc.bench.subject import Bench, Comparison, own_texts
from memloc.resources.rate import peak_rate
from memloc.scoring import paragraph_scores

GROWTH = (1, 2, 4, 8)
RUNS: dict[str, Callable[[Bench, Tensor], Comparison]] = {
    "scoring": stages.scores,
    "extraction": stages.extractions,
    "windows": stages.windows,
    "continuation": stages.continuations,
    "perturbation": stages.perturbations,
    "patching": stages.exact_patching,
    "attribution_patching": stages.first_order_patching,
    "parameter_gradients": gradient_stages.parameter_gradients,
    "editing_step": gradient_stages.sparse_editing,
    "editing_run": editing_run.editing_run,
    "planting_step": gradient_stages.planting,
}
"""What `settings.bench.COMPARISONS` names."""
# Relative to the largest value. First-order patching is held against a finite difference.
TOLERANCE = {
    "attribution_patching": 0.05,
    "editing_step": 0.02,
    "editing_run": 0.02,
    "planting_step": 0.02,
}
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
    peaks, rows = measure.once("peak", _peaks), []
    for comparison in (RUNS[name](bench, own) for name in names):
        sides = {stage: each.prepare for stage, each in comparison.stages.items()}
        found = measure.take_turns({**sides, "plain": comparison.plain}, bench.sizes.repeats)
        for stage in comparison.stages:
            rows.append(_row(bench, comparison, stage, found, peaks))
            report(
                "{stage}: {seconds_fast:.2f} s, straightforwardly {seconds_plain:.2f} s".format(**rows[-1])
            )
    return pd.DataFrame(rows)


def _row(
    bench: Bench, comparison: Comparison, name: str, found: dict[str, Measured], peaks: Results
) -> dict[str, Any]:
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
        "dtype": stage.dtype,
        "peak_rate": peaks[stage.dtype].item(),
        "peak_share": fast.gflop / fast.seconds / peaks[stage.dtype].item(),
        "memory_fast": fast.memory_mb,
        "memory_plain": plain.memory_mb,
        "difference": difference,
        "matched": _matched(bench, fast.results),
    }


def _matched(bench: Bench, results: Results) -> float:
    """Share of the items whose whole continuation matches; NaN where no match is counted."""
    n_left = bench.n_tokens - bench.n_prefix
    return float((results["em"] == n_left).mean()) if "em" in results else np.nan


def _peaks() -> Callable[[], Results]:
    return lambda: {name: np.array(peak_rate(getattr(torch, name))) for name in ("float32", "bfloat16")}


def growth(bench: Bench, report: Callable[[str], None]) -> pd.DataFrame:
    """The table `bench_growth`: time and memory of scoring 1, 2, 4 and 8 times as many paragraphs."""
    rows = []
    for times in GROWTH:
        n_paragraphs = times * bench.sizes.n_paragraphs
        sides = {"scoring": partial(_random_scores, bench, n_paragraphs)}
        found = measure.take_turns(sides, repeats=1)["scoring"]
        rows.append((n_paragraphs, found.seconds, found.memory_mb))
        report(f"{n_paragraphs} paragraphs: {found.seconds:.2f} s, {found.memory_mb:.0f} MB")
    return pd.DataFrame(rows, columns=["n_paragraphs", "seconds", "memory"])


def _random_scores(bench: Bench, n_paragraphs: int) -> Callable[[], Results]:
    model = bench.inference_model()
    tokens = bench.random_tokens(n_paragraphs, bench.n_tokens, "growth")
    scoring = bench.settings.scores
    return lambda: {"em": paragraph_scores.score(model, tokens, bench.n_prefix, scoring).em.numpy()}


def machine() -> dict[str, Any]:
    """The processor, its cores, and the memory of this machine."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "system": f"{platform.system()} {platform.machine()}",
    }


def _processor() -> str:
    description = Path("/proc/cpuinfo")
    if description.exists() and (names := re.findall(r"model name\s*: (.+)", description.read_text())):
        return names[0]
    return platform.processor() or platform.machine()
