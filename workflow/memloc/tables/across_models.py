"""Tables of the models of one study, or of its repetitions with other seeds, joined."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from memloc.tables import storage
from memloc.tables.schemas import schema_of


def models_of(descriptions: Sequence[str], steps: Mapping[str, int]) -> pd.DataFrame:
    """A row per model, by parameters and then by steps, which checkpoints have; the index is its number.

    `descriptions` are files `<model>/model.json`; `steps` are by model.
    """
    models = pd.DataFrame(
        {"model": Path(path).parent.name, **json.loads(Path(path).read_text())} for path in descriptions
    )
    models["step"] = models["model"].map(steps)
    return models.sort_values(["n_parameters", "step"], kind="stable")


def joined(
    files: Mapping[str, Sequence[str]], runs: pd.Series, paragraphs: Sequence[str] = ()
) -> dict[str, pd.DataFrame]:
    """Tables of several runs, each with a column that is named like `runs` and says which run a row is of.

    A table has a file for each run; those at the index of `runs` are read, in its order. Of the table
    paragraphs, which may be long, only the columns `paragraphs` are read.
    """
    found = {}
    for name, paths in files.items():
        columns = paragraphs if name == "paragraphs" else None
        frames = {run: storage.read(schema_of(name), paths[number], columns) for number, run in runs.items()}
        tables = [frame.assign(**{runs.name: run}) for run, frame in frames.items()]
        found[name] = pd.concat(tables, ignore_index=True)
    return found
