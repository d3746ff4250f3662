"""Joined tables of the models of one study, or of its repetitions with other seeds."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from memloc.tables import storage
from memloc.tables.schemas import schema_of


def models_of(descriptions: Sequence[str], steps: Mapping[str, int]) -> pd.DataFrame:
    """A row per model, sorted by parameters, then by training steps, which checkpoints have.

    `descriptions` are files `<model>/model.json`; the index has their numbers. `steps` has them by model.
    """
    models = pd.DataFrame(
        {"model": Path(path).parent.name, **json.loads(Path(path).read_text())} for path in descriptions
    )
    models["step"] = models["model"].map(steps)
    return models.sort_values(["n_parameters", "step"], kind="stable")


def joined(
    files: Mapping[str, Sequence[str]], runs: pd.Series, paragraphs: Sequence[str] = ()
) -> dict[str, pd.DataFrame]:
    """Tables of several runs, each with a column that names the run of each row and is named like `runs`.

    A table has a file for each run. The files at the index of `runs` are read, in its order. Only the columns
    `paragraphs` of table paragraphs, which may be long, are read; of the others, those that all runs have.
    """
    found = {}
    for name, paths in files.items():
        columns = paragraphs if name == "paragraphs" else None
        frames = {run: storage.read(schema_of(name), paths[number], columns) for number, run in runs.items()}
        tables = [frame.assign(**{runs.name: run}) for run, frame in frames.items()]
        found[name] = pd.concat(tables, join="inner", ignore_index=True)
    return found
