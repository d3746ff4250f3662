"""What a study will cost before anything of it has run: a row per rule, the whole, and its longest path."""

import math
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping

import pandas as pd
import torch

from memloc.bench.schedule import Job, longest_path, total
from memloc.bench.work import peak_rate
from memloc.model.cost import Machine, rule_bytes, rule_seconds
from memloc.model.memory import Shape, shape_of, stage_bytes, stage_megabytes
from memloc.run.steps import Step
from memloc.settings.study import Settings, members, resampled

OTHER_MB = 2000  # of rules that run no model
IMPORTS = "import memloc.model.loading, memloc.tables.storage"


def this_machine(cores: int) -> Machine:
    """This machine, measured in seconds: products of one thread, and how long the library takes to import."""
    torch.set_num_threads(1)
    begin = time.perf_counter()
    subprocess.run([sys.executable, "-c", IMPORTS], check=True)
    seconds = time.perf_counter() - begin
    return Machine("this machine", peak_rate(torch.float32), seconds, cores)


def estimate(
    steps: Iterable[Step],
    studies: Mapping[str, tuple[Shape, Settings]],
    machine: Machine,
) -> pd.DataFrame:
    """A row per rule: jobs, threads, seconds of each job, memory (MB), GPU memory (MB), disk (MB).

    `studies` gives the model's shape and the settings of every study by the folder of its results.
    """
    rows = []
    for step in steps:
        shape, settings = studies[step.study]
        n_jobs = settings.shards if any("{shard}" in path for path in step.outputs) else 1
        gpu = stage_bytes(shape, settings).get(step.rule, 0) / 1e6 if machine.gpus else 0
        rows.append(
            {
                "rule": step.name,
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
    below = members(study) if study.models else resampled(study)
    settings = {f"{results}/{name}": each for name, each in below.items()} | {results: study}
    folders = {step.study: step.inputs[0] for step in steps if step.rule == "model"}
    shapes = {study: shape_of(settings[study], folder) for study, folder in folders.items()}
    # What belongs to no one model (figures across models, further seeds) is taken for the first one's.
    return {name: (shapes.get(name, next(iter(shapes.values()))), each) for name, each in settings.items()}


def jobs(steps: list[Step], frame: pd.DataFrame) -> dict[str, Job]:
    """The jobs of an estimate, each with those that it needs."""
    found = {}
    for step, row in zip(steps, frame.itertuples(), strict=True):
        needs = {other.name for other in steps for path in step.inputs if other.makes(path)} - {step.name}
        needs = {f"{name} {part}" for name in needs for part in range(_parts(frame, name))}
        for part in range(row.jobs):
            gpus = int(row.gpu_mb > 0)
            found[f"{step.name} {part}"] = Job(row.seconds, row.threads, gpus, frozenset(needs))
    return found


def _parts(frame: pd.DataFrame, rule: str) -> int:
    return int(frame.loc[frame.rule == rule, "jobs"].iloc[0])


def summary(steps: list[Step], frame: pd.DataFrame, machine: Machine) -> str:
    """The rules that take longest, the whole, and the longest path, as text."""
    planned = jobs(steps, frame)
    path_seconds, path = longest_path(planned)
    longest = frame.sort_values("seconds", ascending=False).head(20)
    known = (
        f"{machine.rate:.0f} GFLOP/s a thread" if machine.measured else "by its data sheet, never measured"
    )
    disk, memory = frame.disk_mb.sum() / 1e3, frame.memory_mb.max() / 1e3
    return "\n".join(
        [
            f"{machine.name} ({known}), {machine.cores} cores, {len(frame)} rules, downloads not timed",
            longest.round({"seconds": 0, "disk_mb": 1}).to_string(index=False),
            f"total: {_time(total(planned, machine.cores, machine.gpus))}",
            f"memory: at most {memory:.1f} GB a rule; disk: {disk:.1f} GB",
            f"longest path: {_time(path_seconds)}: {', '.join(name.partition(' ')[0] for name in path)}",
        ]
    )


def _time(seconds: float) -> str:
    return f"{seconds / 3600:.1f} h" if seconds >= 7200 else f"{seconds / 60:.1f} min"
