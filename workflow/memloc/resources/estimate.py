"""What a study will cost before anything of it has run, and how long its rules take together.

Time limits of jobs follow the estimate. Rules that ran before take as long as then.
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

SAFETY = 3  # of a time limit over the estimate, which met most measured times within 1.5
LEAST = 30  # minutes: nobody has timed how slow a shared disk gives a large model
FIRST_STAGE = "scores"  # whoever has not run it will run whole stages of the model
OTHER_MB = 2000  # of rules that run no model


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
    # What belongs to no one model (figures across models, further seeds) is taken for the first one's.
    return {name: (shapes.get(name, next(iter(shapes.values()))), each) for name, each in settings.items()}


def limits(path: Path) -> dict[str, int]:
    """Time limit (minutes) of every rule of table `estimate`; empty where the table is not there.

    What was not timed, downloads, has no limit.

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
