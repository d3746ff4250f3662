"""What a study will cost before anything of it has run: a row per rule."""

import math
from collections.abc import Iterable, Mapping

import pandas as pd

from memloc.resources.cost import rule_bytes, rule_seconds
from memloc.resources.machine import Machine
from memloc.resources.memory import stage_bytes, stage_megabytes
from memloc.resources.shapes import Shape, shape_of
from memloc.run.steps import Step
from memloc.settings.study import Settings, studies_by_model, studies_by_seed

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
