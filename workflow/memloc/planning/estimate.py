"""Estimates of a study before it runs: a table of its rules, time limits by it, and the time of all."""

import json
import math
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from memloc.planning.work import memory, n_parameters, works
from memloc.run.steps import Step
from memloc.settings.study import Settings, studies_by_model, studies_by_seed
from memloc.tables import storage
from memloc.tables.schemas import schema_of

SAFETY = 3  # ratio of a time limit to the estimate
LEAST = 30  # minutes; loading a large model from a shared disk may be slow, and was not timed
OF_MODEL = ("passages", "model")  # the first input of the last of them that runs is the model's folder
OTHER_MB = 2000  # memory of a rule that runs no model
LOAD = 3  # seconds of any job, mostly for loading libraries
READING = 5e-6  # seconds for each token of text that a scan runs: text is tokenised twice
DECODING = 1 / 6  # scans, for each token of a paragraph, that decoding adds where the model recites the text


def estimate(steps: Sequence[Step], results: str, study: Settings, remote: bool) -> pd.DataFrame:
    """Table `estimate`, a row per rule, by the speed of this machine for the study's largest model.

    Jobs run on this machine, or on the `remote` ones of a cluster. Those that take a GPU have no time (NaN)
    where this machine has none. Downloads are not timed. Seeds have the model of the study.
    """
    below = studies_by_model(study) if study.models else studies_by_seed(study)
    settings = {f"{results}/{name}": each for name, each in below.items()} | {results: study}
    folders = {step.study: step.inputs[0] for rule in OF_MODEL for step in steps if step.rule == rule}
    sizes = {name: n_parameters(settings[name], folder) for name, folder in folders.items()}
    loading, largest = study.loading, max(sizes, key=sizes.get)
    on_gpu = loading.device == "cuda" or loading.gpus > 1 or (remote and loading.device == "auto")
    here, first, rows = speed(sizes[largest], settings[largest]), next(iter(sizes)), []
    work, asked = ({name: of(size, settings[name]) for name, size in sizes.items()} for of in (works, memory))
    for step in steps:
        name = step.study if step.study in sizes else first
        rule = "" if step.script.endswith("join_parts.py") else step.rule  # named like its stage
        own, (kind, n) = settings[name], work[name].get(rule, (None, 0))
        jobs = int(max(re.findall(r"{shard}-of-(\d+)", " ".join(step.outputs)), default=1))
        takes_gpu = kind not in (None, "training") and loading.device != "cpu" and (on_gpu or "cuda" in here)
        timed = "edit" if kind == "training" else kind
        on = here.get("cuda", {}) if takes_gpu else here["cpu"]
        passes = n and n * sizes[name] * on.get(timed, math.nan) / jobs / (1 if takes_gpu else step.threads)
        reading = READING * n * own.paragraph.length * (rule == "passages")
        row = {"rule": step.name, "jobs": jobs, "threads": step.threads, "seconds": LOAD + reading + passes}
        rows.append(row | {"memory_mb": asked[name].get(rule, OTHER_MB), "gpus": takes_gpu * loading.gpus})
    return pd.DataFrame(rows)


def speed(n_weights: float, settings: Settings) -> dict[str, dict[str, float]]:
    """Seconds for a weight and a paragraph by device and kind. A process of its own imports torch."""
    command = [sys.executable, "-m", "memloc.planning.measure"]
    given = json.dumps([n_weights, settings.model_dump(mode="json")])
    printed = subprocess.run(command, input=given, check=True, capture_output=True, text=True).stdout
    return json.loads(printed.splitlines()[-1])


def limits(path: Path) -> dict[str, int]:
    """Time limit (minutes) of the rules whose time table `estimate` tells; empty where there is no table.

    Raises:
        TableError: the file is damaged or no such table.
    """
    if not path.exists():
        return {}
    seconds = storage.read(schema_of("estimate"), path, ["rule", "seconds"]).set_index("rule").seconds
    return {rule: max(LEAST, math.ceil(SAFETY * s / 60)) for rule, s in seconds.dropna().items()}


def total(frame: pd.DataFrame, cores: int, gpus: int) -> float | None:
    """Seconds of all rules: the longest job, or the work, shared by cores or GPUs that never idle.

    With many cores it is too short by what waits for each other. None where the time of a rule is not known.
    """
    if frame.seconds.isna().any():
        return None
    work = frame.jobs * frame.seconds
    shared = (work * frame.threads).sum() / cores, (work * frame.gpus).sum() / gpus
    return max(frame.seconds.max(), *shared)


def duration(
    steps: Sequence[Step], cores: int, gpus: int, results: str, study: Settings
) -> tuple[float | None, float, dict[str, float]]:
    """Seconds of `steps` on so many cores and GPUs (None: unknown), what reciting adds, and of each job.

    The benchmark files tell it if all steps ran before, else table `estimate`. A study without results is
    estimated. That measures this machine for some seconds, so it is not done for a few steps.
    """
    ran, more = {step.name: step.ran for step in steps}, 0.0
    tables = {Path(step.study, "benchmarks/estimate.parquet") for step in steps}
    if all(ran.values()):
        frame = pd.DataFrame({"rule": [*ran], "jobs": [*map(len, ran.values())], "gpus": 0})
        frame["seconds"] = [sum(found) / len(found) for found in ran.values()]
        frame["threads"] = [min(step.threads, cores) for step in steps]
    elif all(path.exists() for path in tables):
        frame = pd.concat([storage.read(schema_of("estimate"), path) for path in tables])
        frame = frame.set_index("rule").reindex(ran).reset_index()
    elif not Path(results).exists() and {*OF_MODEL} & {step.rule for step in steps}:
        frame = estimate(steps, results, study, remote=False)
        scans = frame.seconds[frame.rule.str.endswith("passages")] - LOAD
        more = scans.sum() * DECODING * study.paragraph.length
    else:
        return None, 0, {}
    return total(frame, cores, gpus), more, frame.set_index("rule").seconds.to_dict()
