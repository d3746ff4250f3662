"""Estimates of a study before it runs: a table of its rules, and the time of all together.

Time limits of jobs follow the table. If all rules ran before, their measured times replace the estimate.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pandas as pd

from memloc.resources.cost import rule_bytes, rule_seconds
from memloc.resources.machine import Machine, this_machine
from memloc.resources.memory import stage_bytes, stage_megabytes
from memloc.resources.shapes import Shape, shape_of
from memloc.run.console import sized, spoken
from memloc.run.steps import Step
from memloc.settings.study import Settings, studies_by_model, studies_by_seed
from memloc.tables import storage
from memloc.tables.schemas import schema_of

SAFETY = 3  # ratio of a time limit to the estimate, which was within a factor of 1.5 of most measured times
LEAST = 30  # minutes; loading a large model from a shared disk may be slow, and was not timed
FIRST_STAGE = "scores"  # a study that has not run it will run whole stages of the model
OTHER_MB = 2000  # memory of a rule that runs no model


def estimate(
    steps: Iterable[Step],
    studies: Mapping[str, tuple[Shape, Settings]],
    machine: Machine,
) -> pd.DataFrame:
    """A row per rule, of table `estimate`.

    `studies` gives the model's shape and the settings of every study by the folder of its results.
    """
    rows = []
    for step in steps:
        shape, settings = studies[step.study]
        parts = settings.counterfactual.n_models if step.rule == "train_halves" else settings.shards
        n_jobs = parts if any("{shard}" in path for path in step.outputs) else 1
        gpu = stage_bytes(shape, settings).get(step.rule, 0) / 1e6 if machine.gpus else 0
        rows.append(
            {
                "rule": step.name,
                "machine": machine.name,
                "jobs": n_jobs,
                "threads": step.threads,
                "seconds": rule_seconds(step.rule, shape, settings, machine, step.threads) / n_jobs,
                "memory_mb": stage_megabytes(shape, settings).get(step.rule, OTHER_MB),
                "gpu_mb": math.ceil(gpu),
                "disk_mb": rule_bytes(step.rule, shape, settings) / 1e6,
            }
        )
    return pd.DataFrame(rows)


def studies(steps: list[Step], results: str, study: Settings) -> dict[str, tuple[Shape, Settings]]:
    """Shape of the model and settings of a study, its models or further seeds, by their folders."""
    below = studies_by_model(study) if study.models else studies_by_seed(study)
    settings = {f"{results}/{name}": each for name, each in below.items()} | {results: study}
    folders = {step.study: step.inputs[0] for step in steps if step.rule == "model"}
    shapes = {study: shape_of(settings[study], folder) for study, folder in folders.items()}
    # Steps of no single model (figures across models, further seeds) get the first model's shape.
    return {name: (shapes.get(name, next(iter(shapes.values()))), each) for name, each in settings.items()}


def limits(path: Path) -> dict[str, int]:
    """Time limit (minutes) of every rule of table `estimate`; empty where the table is not there.

    Downloads, which are not timed, have no limit.

    Raises:
        TableError: the file is damaged or no such table.
    """
    if not path.exists():
        return {}
    frame = storage.read(schema_of("estimate"), path, ["rule", "seconds"])
    return {
        row.rule: max(LEAST, math.ceil(SAFETY * row.seconds / 60))
        for row in frame[frame.seconds > 0].itertuples()
    }


def longest_path(steps: Sequence[Step], seconds: Mapping[str, float]) -> tuple[float, list[str]]:
    """The longest chain of rules that wait for each other: its seconds, and the rules' names in order.

    `seconds` has the time of each rule, or of each of its jobs.
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
    """Seconds of all rules: the longest path, or the work shared by cores or GPUs that never idle, if longer.

    `frame` has a row per rule: rule, jobs, threads, seconds of each job, gpu_mb (GPU memory).
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
    """Seconds that `steps` will take on so many cores; None where that is unknown.

    If all steps ran before, their benchmark files give the time. A study without results is estimated. The
    estimate measures this machine for some seconds, so it is not made where a few steps are left.
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
    """Seconds of each job of a step when it ran last; empty if none ever ran."""
    files = Path().glob(step.benchmark.replace("{shard}", "*")) if step.benchmark else ()
    return [float(pd.read_csv(file, sep="\t")["s"].iloc[0]) for file in files]
