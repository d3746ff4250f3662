"""When the rules of a run end, each as soon as what it needs is there and cores and GPUs are free."""

import heapq
from collections.abc import Mapping
from typing import NamedTuple

import pandas as pd

from memloc.run.steps import Step


class Job(NamedTuple):
    """A job: seconds, threads, GPUs, and the jobs that it needs."""

    seconds: float
    threads: int
    gpus: int
    needs: frozenset[str]


def jobs(steps: list[Step], frame: pd.DataFrame) -> dict[str, Job]:
    """The jobs of steps, each with those that it needs.

    A row of `frame` is a step: rule, jobs, threads, seconds of each job, GPU memory (MB).
    """
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


def longest_path(jobs: Mapping[str, Job]) -> tuple[float, list[str]]:
    """Seconds of the jobs that no number of cores can run beside each other, and their names in order."""
    ends: dict[str, tuple[float, list[str]]] = {}

    def end(name: str) -> tuple[float, list[str]]:
        if name not in ends:
            before = max((end(other) for other in jobs[name].needs), default=(0.0, []))
            ends[name] = before[0] + jobs[name].seconds, [*before[1], name]
        return ends[name]

    return max(map(end, jobs), default=(0.0, []))


def total(jobs: Mapping[str, Job], cores: int, gpus: int) -> float:
    """Seconds until all jobs have ended; of those that can start, the one with the longest job first."""
    waiting, running, done, now = dict(jobs), [], set(), 0.0
    free = {"cores": cores, "gpus": gpus}
    while waiting or running:
        ready = [name for name, job in waiting.items() if job.needs <= done]
        for name in sorted(ready, key=lambda name: -jobs[name].seconds):
            threads, asked = min(jobs[name].threads, cores), min(jobs[name].gpus, gpus)
            if threads <= free["cores"] and asked <= free["gpus"]:
                free["cores"] -= threads
                free["gpus"] -= asked
                heapq.heappush(running, (now + waiting.pop(name).seconds, name, threads, asked))
        now, name, threads, asked = heapq.heappop(running)
        free["cores"] += threads
        free["gpus"] += asked
        done.add(name)
    return now
