"""How long what is about to run will take: as long as before, or, where a study begins, by the estimate."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from memloc.resources.schedule import jobs, total
from memloc.run.steps import Step
from memloc.settings.study import Settings

FIRST_STAGE = "scores"  # whoever has not run it will run whole stages of the model


def duration(steps: Sequence[Step], cores: int, results: str, study: Settings) -> float | None:
    """Seconds that `steps`, which are about to run, will take on so many cores; None where nobody knows.

    What ran before takes as long as then (its benchmark file). A study that has no results yet is estimated:
    that measures this machine for some seconds, and so it is not done for what adds a figure.
    """
    before = [_measured(step) for step in steps]
    if all(before):
        rows = zip(steps, before, strict=True)
        frame = pd.DataFrame(
            [
                {
                    "rule": step.name,
                    "jobs": len(found),
                    "threads": step.threads,
                    "seconds": sum(found) / len(found),
                }
                for step, found in rows
            ]
        ).assign(gpu_mb=0)
        return total(jobs(list(steps), frame), cores, 0)
    if Path(results).exists() or FIRST_STAGE not in {step.rule for step in steps}:
        return None
    # They import torch, for which a plan would wait.
    from memloc.resources.estimate import estimate, studies
    from memloc.resources.machine import this_machine

    machine = this_machine(cores)
    frame = estimate(steps, studies(list(steps), results, study), machine)
    return total(jobs(list(steps), frame), cores, machine.gpus)


def _measured(step: Step) -> list[float]:
    """Seconds of the jobs of a step when they ran last; empty where they never did."""
    files = Path().glob(step.benchmark.replace("{shard}", "*")) if step.benchmark else ()
    return [float(pd.read_csv(file, sep="\t")["s"].iloc[0]) for file in files]
