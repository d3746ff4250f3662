"""Estimates of a study before it runs: a table of its rules, and the time of all together.

Time limits of jobs follow the table. If all rules ran before, their measured times replace the estimate.
"""

import math
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from memloc.planning.measure import Speed, speed
from memloc.planning.memory import megabytes, shape_of
from memloc.planning.work import text_megabytes, works
from memloc.run.console import spoken
from memloc.run.steps import Step
from memloc.settings.study import Settings, studies_by_model, studies_by_seed
from memloc.tables import storage
from memloc.tables.schemas import schema_of

SAFETY = 3  # ratio of a time limit to the estimate
LEAST = 30  # minutes; loading a large model from a shared disk may be slow, and was not timed
FIRST_STAGES = {"scores", "passages"}  # a study that has run neither will run whole stages of the model
OF_MODEL = ("passages", "model")  # the first input of the last of them that runs is the model's folder
OTHER_MB = 2000  # memory of a rule that runs no model
READING = 5e-6  # seconds for each token of text that a scan runs: text is tokenised twice
DECODING = 1 / 6  # scans, for each token of a paragraph, that decoding adds where the model recites the text


def estimate(
    steps: Sequence[Step], results: str, study: Settings, remote: bool
) -> tuple[pd.DataFrame, Speed]:
    """Table `estimate`, a row per rule, and the speed of this machine for the study's largest model.

    Jobs run on this machine, or on the `remote` ones of a cluster. Those that take a GPU have no time (NaN)
    where this machine has none. Steps of no single model get the first model's shape.
    """
    below = studies_by_model(study) if study.models else studies_by_seed(study)
    settings = {f"{results}/{name}": each for name, each in below.items()} | {results: study}
    folders = {step.study: step.inputs[0] for rule in OF_MODEL for step in steps if step.rule == rule}
    shapes = {name: shape_of(settings[name], folder) for name, folder in folders.items()}
    loading, first = study.loading, next(iter(shapes.values()))
    on_gpu = loading.device == "cuda" or loading.gpus > 1 or (remote and loading.device == "auto")
    largest = max(shapes, key=lambda name: shapes[name].n_parameters)
    here = speed(shapes[largest], settings[largest], on_gpu)
    rows = []
    for step in steps:
        own, shape = settings[step.study], shapes.get(step.study, first)
        kind, n = works(shape, own).get(step.rule, (None, 0))
        models = {"train_halves": own.counterfactual.n_models, "fill_models": len(own.capacity.widths)}
        parts = models.get(step.rule, own.shards)
        jobs = parts if any("{shard}" in path for path in step.outputs) else 1
        takes_gpu = loading.device != "cpu" and kind not in (None, "training")
        n_threads = 1 if here["gpus"] and takes_gpu else step.threads
        passes = n and n * shape.n_parameters * here.get(kind, math.nan) / jobs / n_threads
        reading = READING * n * own.paragraph.length * (step.rule == "passages")
        row = {"rule": step.name, "jobs": jobs, "threads": step.threads}
        # A download depends on the network, which nobody knows.
        row["seconds"] = 0 if step.rule.startswith("download_") else here["load"] + reading + passes
        row["memory_mb"] = megabytes(kind, shape, loading) if kind else OTHER_MB
        row["memory_mb"] += text_megabytes(own) * (step.rule == "passages")
        row["gpu_mb"] = megabytes(kind, shape, loading, on_gpu=True) if takes_gpu else 0
        rows.append(row)
    return pd.DataFrame(rows), here


def limits(path: Path) -> dict[str, int]:
    """Time limit (minutes) of every rule of table `estimate`; empty where the table is not there.

    Downloads, which are not timed, have no limit, nor has what is not known.

    Raises:
        TableError: the file is damaged or no such table.
    """
    if not path.exists():
        return {}
    seconds = storage.read(schema_of("estimate"), path, ["rule", "seconds"]).set_index("rule").seconds
    return {rule: max(LEAST, math.ceil(SAFETY * s / 60)) for rule, s in seconds[seconds > 0].items()}


def total(frame: pd.DataFrame, cores: int, gpus: int) -> float | None:
    """Seconds of all rules: the longest job, or the work, shared by cores or GPUs that never idle.

    With many cores it is too short by what waits for each other. None where the time of a rule is not known.
    `frame` has a row per rule: jobs, threads, seconds of each job, gpu_mb (GPU memory).
    """
    if frame.seconds.isna().any():
        return None
    work = frame.jobs * frame.seconds
    on_cores = (work * frame.threads.clip(upper=cores)).sum() / cores
    on_gpus = work[frame.gpu_mb > 0].sum() / gpus if gpus else 0.0
    return max(frame.seconds.max(), on_cores, on_gpus)


def summary(frame: pd.DataFrame, cores: int, gpus: int) -> str:
    """The rules that take longest, and the whole time, as text."""
    longest = frame.sort_values("seconds", ascending=False, na_position="first").head(20)
    seconds = total(frame, cores, gpus)
    said = "unknown: jobs take a GPU, and this machine has none" if seconds is None else spoken(seconds)
    table = longest.round({"seconds": 0}).to_string(index=False)
    return f"{cores} cores, {gpus} GPUs, {len(frame)} rules, downloads not timed\n{table}\ntotal: {said}"


def duration(
    steps: Sequence[Step], cores: int, gpus: int, results: str, study: Settings
) -> tuple[float | None, float, dict[str, float]]:
    """Seconds of `steps` on so many cores and GPUs (None: unknown), what reciting adds, and of each job.

    The benchmark files tell it if all steps ran before, else table `estimate`. A study without results is
    estimated. That measures this machine for some seconds, so it is not done for a few steps.
    """
    ran, more = {step.name: _ran(step) for step in steps}, 0.0
    tables = {Path(step.study, "benchmarks/estimate.parquet") for step in steps}
    if all(ran.values()):
        rows = [(step.name, len(ran[step.name]), step.threads, 0) for step in steps]
        frame = pd.DataFrame(rows, columns=["rule", "jobs", "threads", "gpu_mb"])
        frame["seconds"] = [sum(found) / len(found) for found in ran.values()]
    elif all(path.exists() for path in tables):
        frame = pd.concat([storage.read(schema_of("estimate"), path) for path in tables])
        frame = frame.set_index("rule").reindex(ran).reset_index()
    elif not Path(results).exists() and FIRST_STAGES & {step.rule for step in steps}:
        frame, here = estimate(steps, results, study, remote=False)
        gpus, scans = here["gpus"], frame.seconds[frame.rule.str.endswith("passages")] - here["load"]
        more = scans.sum() * DECODING * study.paragraph.length
    else:
        return None, 0, {}
    seconds = total(frame, cores, gpus)
    return seconds, more, {} if seconds is None else dict(zip(frame.rule, frame.seconds, strict=True))


def _ran(step: Step) -> list[float]:
    """Seconds of each job of a step when it ran last; empty if none ever ran."""
    files = Path().glob(step.benchmark.replace("{shard}", "*")) if step.benchmark else ()
    return [float(pd.read_csv(file, sep="\t")["s"].iloc[0]) for file in files]
