"""Tables of the models of one study, or of its repetitions with other seeds, joined."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from memloc.tables import storage
from memloc.tables.schemas import schema_of


def read(
    descriptions: Sequence[str],
    tables: Mapping[str, Sequence[str]],
    paragraphs: Sequence[str],
    steps: Mapping[str, int],
) -> dict[str, pd.DataFrame]:
    """Tables of several models, each with a column `model`, and `models`: a row for each of them.

    Files lie in `<model>/model.json` and `<model>/tables/<table>.parquet`. Of the table paragraphs, which
    may be long, only the columns `paragraphs` are read. `steps` are those of checkpoints, by model. Rows of
    `models`, and blocks of the other tables, are in the order of the models' parameters and steps.

    Raises:
        TableError: a table cannot be read or breaks its schema.
    """
    models = pd.DataFrame(
        {"model": Path(path).parent.name, **json.loads(Path(path).read_text())} for path in descriptions
    )
    models["step"] = models["model"].map(steps)
    models = models.sort_values(["n_parameters", "step"], kind="stable", ignore_index=True)
    found: dict[str, dict[str, pd.DataFrame]] = defaultdict(dict)
    for name, paths in tables.items():
        for path in paths:
            model, columns = Path(path).parents[1].name, paragraphs if name == "paragraphs" else None
            found[name][model] = storage.read(schema_of(name), path, columns).assign(model=model)
    joined = {
        name: pd.concat([frames[model] for model in models["model"]], ignore_index=True)
        for name, frames in found.items()
    }
    return {"models": models, **joined}


def read_seeds(tables: Mapping[str, Sequence[str]], seeds: Sequence[int]) -> dict[str, pd.DataFrame]:
    """Tables of a study and of its repetitions, each with a column `seed`.

    `tables` are the files of each, one for each of the seeds, in their order.

    Raises:
        TableError: a table cannot be read or breaks its schema.
    """
    found = {}
    for name, paths in tables.items():
        frames = [storage.read(schema_of(name), path) for path in paths]
        frames = [frame.assign(seed=seed) for frame, seed in zip(frames, seeds, strict=True)]
        found[name] = pd.concat(frames, ignore_index=True)
    return found
