"""How long the rules of a run take together: as long as before, or, where a study begins, by the estimate."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from memloc.resources.estimate import estimate, studies
from memloc.resources.machine import Machine, this_machine
from memloc.run.console import sized, spoken
from memloc.run.steps import Step
from memloc.settings.study import Settings

FIRST_STAGE = "scores"  # whoever has not run it will run whole stages of the model


def longest_path(steps: Sequence[Step], seconds: Mapping[str, float]) -> tuple[float, list[str]]:
    """Seconds of the rules that no number of cores can run beside each other, and their names in order.

    `seconds` is the time of a rule, or of each of its jobs.
    """
    ends: dict[str, tuple[float, list[str]]] = {}

    def end(step: Step) -> tuple[float, list[str]]:
        if step.name not in ends:
            needed = [other for other in steps if other is not step and any(map(other.makes, step.inputs))]
            before, path = max(map(end, needed), default=(0.0, []))
            ends[step.name] = before + seconds[step.name], [*path, step.name]
        return ends[step.name]

    return max(map(end, steps), default=(0.0, []))


def total(steps: Sequence[Step], frame: pd.DataFrame, cores: int, gpus: int) -> float:
    """Seconds of all rules: of the longest path, or of cores or GPUs that are never idle, whichever is more.

    A row of `frame` is a rule: rule, jobs, threads, seconds of each job, GPU memory (MB).
    """
    path, _ = longest_path(steps, dict(zip(frame.rule, frame.seconds, strict=True)))
    work = frame.jobs * frame.seconds
    on_cores = (work * frame.threads.clip(upper=cores)).sum() / cores
    return max(path, on_cores, work[frame.gpu_mb > 0].sum() / gpus if gpus else 0.0)


def summary(steps: Sequence[Step], frame: pd.DataFrame, machine: Machine) -> str:
    """The rules that take longest, the whole, and the longest path, as text."""
    path_seconds, path = longest_path(steps, dict(zip(frame.rule, frame.seconds, strict=True)))
    longest = frame.sort_values("seconds", ascending=False).head(20)
    known = (
        f"{machine.rate:.0f} GFLOP/s a thread" if machine.measured else "by its data sheet, never measured"
    )
    disk, memory = frame.disk_mb.sum() * 1e6, frame.memory_mb.max() * 1e6
    return "\n".join(
        [
            f"{machine.name} ({known}), {machine.cores} cores, {len(frame)} rules, downloads not timed",
            longest.drop(columns="machine").round({"seconds": 0, "disk_mb": 1}).to_string(index=False),
            f"total: {spoken(total(steps, frame, machine.cores, machine.gpus))}",
            f"memory: at most {sized(memory)} a rule; disk: {sized(disk)}",
            f"longest path: {spoken(path_seconds)}: {', '.join(path)}",
        ]
    )


def duration(steps: Sequence[Step], cores: int, results: str, study: Settings) -> float | None:
    """Seconds that `steps`, which are about to run, will take on so many cores; None where nobody knows.

    What ran before takes as long as then (its benchmark file). A study that has no results yet is estimated:
    that measures this machine for some seconds, and so it is not done for what adds a figure.
    """
    before = [_measured(step) for step in steps]
    if all(before):
        rows = [
            {
                "rule": step.name,
                "jobs": len(found),
                "threads": step.threads,
                "seconds": sum(found) / len(found),
            }
            for step, found in zip(steps, before, strict=True)
        ]
        return total(steps, pd.DataFrame(rows).assign(gpu_mb=0), cores, 0)
    if Path(results).exists() or FIRST_STAGE not in {step.rule for step in steps}:
        return None
    machine = this_machine(cores)
    frame = estimate(steps, studies(list(steps), results, study), machine)
    return total(steps, frame, cores, machine.gpus)


def _measured(step: Step) -> list[float]:
    """Seconds of the jobs of a step when they ran last; empty where they never did."""
    files = Path().glob(step.benchmark.replace("{shard}", "*")) if step.benchmark else ()
    return [float(pd.read_csv(file, sep="\t")["s"].iloc[0]) for file in files]
